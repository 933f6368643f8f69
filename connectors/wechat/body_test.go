package wechat

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestBodiesAreParsed(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		body string
		want Push
	}{
		"XML with CDATA": {
			"<xml><FromUserName><![CDATA[o1]]></FromUserName><CreateTime>1409659813</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[a<b]]></Content><MsgId>4561255354251345929</MsgId></xml>",
			Push{"FromUserName": "o1", "CreateTime": "1409659813", "MsgType": "text", "Content": "a<b", "MsgId": "4561255354251345929"},
		},
		"XML without CDATA":                            {"<xml><Content>a&lt;b &#20320;</Content></xml>", Push{"Content": "a<b 你"}},
		"XML whose CDATA was split around its own end": {"<xml><Content><![CDATA[a]]]]><![CDATA[>b]]></Content></xml>", Push{"Content": "a]]>b"}},
		"XML with a declaration, white space and a byte order mark": {
			"\ufeff<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<xml>\n <Content><![CDATA[ 你好\n]]></Content>\n</xml>\n", Push{"Content": " 你好\n"},
		},
		"XML with nested values": {"<xml><List><item><A>1</A></item></List><B>2</B></xml>", Push{"B": "2"}},
		"XML with empty values":  {"<xml><A></A><B/></xml>", Push{"A": "", "B": ""}},
		"JSON with numbers beyond a float": {
			`{"FromUserName":"o1","CreateTime":1482048670,"MsgId":64610127896543219876}`,
			Push{"FromUserName": "o1", "CreateTime": "1482048670", "MsgId": "64610127896543219876"},
		},
		"JSON with numbers as strings":           {`{"CreateTime":"1482048670","MsgId":"49d72d67_155"}`, Push{"CreateTime": "1482048670", "MsgId": "49d72d67_155"}},
		"JSON with nested values and null":       {`{"A":{"B":1},"C":[1],"D":null,"E":true}`, Push{"E": "true"}},
		"JSON with a NUL, which we cannot keep":  {`{"Content":"a\u0000b"}`, Push{"Content": "ab"}},
		"JSON with white space before":           {"\r\n {\"A\":\"1\"}", Push{"A": "1"}},
		"a secure body with a name in two cases": {`{"ToUserName":"gh","Encrypt":"x","encrypt":"y"}`, Push{"ToUserName": "gh", "Encrypt": "x", "encrypt": "y"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := Parse([]byte(tc.body))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("Parse (-want +got):\n%s", diff)
			}
		})
	}
}

func TestHostileBodiesAreRefused(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		body string
		want error
	}{
		"empty":                      {"", ErrBrokenBody},
		"white space":                {" \n", ErrBrokenBody},
		"plain text":                 {"hello", ErrBrokenBody},
		"a JSON array":               {"[]", ErrBrokenBody},
		"JSON that ends early":       {`{"A":"b`, ErrBrokenBody},
		"JSON followed by more":      {`{"A":"b"}{"A":"c"}`, ErrBrokenBody},
		"XML that ends early":        {"<xml><A>b</A>", ErrBrokenBody},
		"XML with crossed elements":  {"<xml><A><B></A></B></xml>", ErrBrokenBody},
		"XML with two roots":         {"<xml><A>b</A></xml><xml><A>c</A></xml>", ErrBrokenBody},
		"XML with another root":      {"<html><A>b</A></html>", ErrBrokenBody},
		"XML with text beside":       {"<xml>a<A>b</A></xml>", ErrBrokenBody},
		"XML in another encoding":    {`<?xml version="1.0" encoding="GBK"?><xml><A>b</A></xml>`, ErrBrokenBody},
		"XML with a stylesheet":      {`<?xml-stylesheet href="http://example.com/x"?><xml></xml>`, ErrBrokenBody},
		"XML that is no UTF-8":       {"<xml><A>\xff</A></xml>", ErrBrokenBody},
		"XML nested deep":            {"<xml>" + strings.Repeat("<a>", 100) + strings.Repeat("</a>", 100) + "</xml>", ErrBrokenBody},
		"a document type":            {`<!DOCTYPE xml><xml><A>b</A></xml>`, ErrDoctype},
		"an entity bomb":             {`<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><xml><A>&b;</A></xml>`, ErrDoctype},
		"an external entity":         {`<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><xml><A>&a;</A></xml>`, ErrDoctype},
		"an entity without its type": {`<xml><A>&bomb;</A></xml>`, ErrDoctype},
		"over the limit":             {`{"A":"` + strings.Repeat("a", MaxBody) + `"}`, ErrBrokenBody},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, err := Parse([]byte(tc.body)); !errors.Is(err, tc.want) {
				t.Errorf("Parse = %v, %v, want error %v", got, err, tc.want)
			}
		})
	}
}

func TestPushFields(t *testing.T) {
	t.Parallel()
	at := func(text string) time.Time {
		sentAt, _ := Push{"CreateTime": text}.SentAt()
		return sentAt
	}
	if got := at("1482048670"); !got.Equal(time.Unix(1482048670, 0)) {
		t.Errorf("SentAt = %s", got)
	}
	for _, bad := range []string{"", "x", "-1", "0", "1e9", "999999999999999"} {
		if got := at(bad); !got.IsZero() {
			t.Errorf("SentAt of %q = %s, want none", bad, got)
		}
	}
	if got := (Push{"MsgID": "7"}).MessageID(); got != "7" {
		t.Errorf("MessageID = %q, want the other spelling's", got)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`<xml><A><![CDATA[b]]></A></xml>`, `{"A":"b","MsgId":1}`, `<!DOCTYPE x><xml/>`, "<xml><A>&lt;&#65;</A></xml>", `{"A":{"B":[null,1.5e3]}}`,
	} {
		f.Add([]byte(seed))
	}
	for _, v := range vectors(f) {
		f.Add([]byte(v.Plaintext))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		push, err := Parse(body)
		if (push == nil) == (err == nil) {
			t.Fatalf("Parse = %v, %v", push, err)
		}
		for name, value := range push {
			if strings.ContainsRune(value, 0) || !utf8.ValidString(value) {
				t.Errorf("%q = %q, which the database cannot keep", name, value)
			}
		}
	})
}
