package wechatsim

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type vector struct {
	ID             string `json:"id"`
	Token          string `json:"token"`
	EncodingAESKey string `json:"encodingAESKey"`
	ReceiverID     string `json:"receiver_id"`
	Timestamp      string `json:"timestamp"`
	Nonce          string `json:"nonce"`
	Signature      string `json:"signature"`
	URLSignature   string `json:"url_signature"`
	MsgSignature   string `json:"msg_signature"`
	Encrypt        string `json:"encrypt"`
	Random16       string `json:"random16"`
	Plaintext      string `json:"plaintext"`
	Body           string `json:"body"`
}

// loadVectors reads both files and checks that none of the published vectors is missing.
func loadVectors(t *testing.T) map[string]vector {
	t.Helper()
	byID := map[string]vector{}
	for _, name := range []string{"testdata/wechat_vectors.json", "testdata/wechat_encrypt_vectors.json"} {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatalf("reading vectors: %v", err)
		}
		var vectors []vector
		if err := json.Unmarshal(data, &vectors); err != nil {
			t.Fatalf("parsing vectors: %v", err)
		}
		for _, v := range vectors {
			byID[v.ID] = v
		}
	}
	for _, id := range []string{"S1", "S2", "E1", "E2", "E3", "E4", "E5", "F1", "F2"} {
		if _, ok := byID[id]; !ok {
			t.Fatalf("vector %s is missing", id)
		}
	}
	return byID
}

func TestSignaturesOfThePublishedVectors(t *testing.T) {
	for id, v := range loadVectors(t) {
		for _, c := range []struct {
			name, want string
			parts      []string
		}{
			{"signature", v.Signature, []string{v.Token, v.Timestamp, v.Nonce}},
			{"url signature", v.URLSignature, []string{v.Token, v.Timestamp, v.Nonce}},
			{"msg signature", v.MsgSignature, []string{v.Token, v.Timestamp, v.Nonce, v.Encrypt}},
		} {
			if c.want == "" {
				continue
			}
			if got := sign(c.parts...); got != c.want {
				t.Errorf("%s: %s is %s, want %s", id, c.name, got, c.want)
			}
		}
	}
}

func TestEncryptionOfThePublishedVectorsBothWays(t *testing.T) {
	for id, v := range loadVectors(t) {
		if v.Encrypt == "" {
			continue
		}
		t.Run(id, func(t *testing.T) {
			key, err := decodeKey(v.EncodingAESKey)
			if err != nil {
				t.Fatalf("decoding key: %v", err)
			}
			opened, err := open(key, v.Encrypt)
			if err != nil {
				t.Fatalf("opening: %v", err)
			}
			got := []string{string(opened.random), string(opened.message), opened.receiverID}
			if diff := cmp.Diff([]string{v.Random16, v.Plaintext, v.ReceiverID}, got); diff != "" {
				t.Errorf("opened (-want +got):\n%s", diff)
			}
			sealed, err := seal(key, envelope{[]byte(v.Random16), []byte(v.Plaintext), v.ReceiverID})
			if err != nil {
				t.Fatalf("sealing: %v", err)
			}
			if sealed != v.Encrypt {
				t.Errorf("sealed text differs from the vector")
			}
		})
	}
}

func TestPushBodiesOfThePublishedVectorsAreRebuiltFromTheirFields(t *testing.T) {
	vectors := loadVectors(t)
	debug := func(created int64) []field {
		return []field{
			{"ToUserName", "gh_97417a04a28d"},
			{"FromUserName", testOpenID},
			{"CreateTime", created},
			{"MsgType", "event"},
			{"Event", "debug_demo"},
			{"debug_str", "hello world"},
		}
	}
	text := []field{
		{"ToUserName", "gh_10f6c3c3ac5a"},
		{"FromUserName", "oyORnuP8q7ou2gfYjqLzSIWZf0rs"},
		{"CreateTime", int64(1409735668)},
		{"MsgType", "text"},
		{"Content", "abcdteT"},
		{"MsgId", int64(6054768590064713728)},
	}
	for name, c := range map[string]struct {
		format Format
		fields []field
		want   string
	}{
		"plaintext JSON (S2)":               {FormatJSON, debug(1714037059), vectors["S2"].Body},
		"the JSON inside a secure one (E1)": {FormatJSON, debug(1714112445), vectors["E1"].Plaintext},
		"the XML inside a compatible (E5)":  {FormatXML, text, vectors["E5"].Plaintext},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, string(renderFields(c.format, c.fields))); diff != "" {
				t.Errorf("body (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSealedPushOfTheSecureJSONVector(t *testing.T) {
	v := loadVectors(t)["E1"]
	app := App{
		AppID: v.ReceiverID, Token: v.Token, EncodingAESKey: v.EncodingAESKey, OriginalID: "gh_97417a04a28d",
		Mode: ModeSecure, Format: FormatJSON,
	}
	p, err := sealPush(app, []byte(v.Plaintext), []byte(v.Random16))
	if err != nil {
		t.Fatalf("sealing: %v", err)
	}
	p.timestamp, p.nonce, p.openID = v.Timestamp, v.Nonce, testOpenID
	wantQuery := "signature=" + v.URLSignature + "&timestamp=" + v.Timestamp + "&nonce=" + v.Nonce + "&openid=" + testOpenID +
		"&encrypt_type=aes&msg_signature=" + v.MsgSignature
	if diff := cmp.Diff(wantQuery, p.query(app.Token)); diff != "" {
		t.Errorf("query (-want +got):\n%s", diff)
	}
	wantBody := `{"ToUserName":"gh_97417a04a28d","Encrypt":"` + v.Encrypt + `"}`
	if diff := cmp.Diff(wantBody, string(p.body)); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
}

func TestPaddingIsAWholeBlockWhenTheTextIsAligned(t *testing.T) {
	key, err := decodeKey(testKey)
	if err != nil {
		t.Fatalf("decoding key: %v", err)
	}
	text, err := seal(key, envelope{[]byte("0123456789abcdef"), []byte("12345678"), "1234"})
	if err != nil {
		t.Fatalf("sealing: %v", err)
	}
	if size := base64.StdEncoding.DecodedLen(len(text)); size < 64 || size > 66 {
		t.Errorf("32 bytes of text became %d bytes, want 64", size)
	}
}

func TestOpenRefusesWhatIsBroken(t *testing.T) {
	key, err := decodeKey(testKey)
	if err != nil {
		t.Fatalf("decoding key: %v", err)
	}
	good, err := seal(key, envelope{[]byte("0123456789abcdef"), []byte("hello"), testApp})
	if err != nil {
		t.Fatalf("sealing: %v", err)
	}
	for name, text := range map[string]string{
		"nothing":              "",
		"not base64":           "%%%",
		"a cut block":          good[:len(good)-8],
		"another key's text":   strings.Repeat("A", 43) + "=",
		"a different last bit": good[:len(good)-6] + "AAAAA=",
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := open(key, text); err == nil {
				t.Errorf("opened without an error")
			}
		})
	}
}

func TestTextThatWouldEndItsCDATAIsSplit(t *testing.T) {
	got := string(renderFields(FormatXML, []field{{"Content", "a]]>b\x00c"}}))
	want := "<xml><Content><![CDATA[a]]]]><![CDATA[>bc]]></Content>\n</xml>"
	if got != want {
		t.Errorf("rendered %q, want %q", got, want)
	}
}
