package desk

import (
	"bytes"
	"errors"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// video begins as a telephone's do, and no two pieces of it are alike.
func video(size int) []byte {
	video := append([]byte("\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00isommp42"), make([]byte, size)...)
	for i := 24; i < len(video); i++ {
		video[i] = byte(i / 1000)
	}
	return video
}

func TestACustomerShowsWhatIsBrokenInAVideo(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	address, c := w.link(d, w.assigned("after-sales", "xiaomei", "c")), d.customer()
	long := video(3*pieceSize + 100)
	if status, page := c.handsFiles(address, filled(nil), chosen{"photos", picture(100)}, chosen{"video", long}); status != http.StatusOK || !strings.Contains(page, "审核中") {
		t.Fatalf("handed in: %d %s", status, page)
	}
	// Another one, on the page of the case.
	w.passes(formInterval)
	_, page := c.opens(address)
	key := regexp.MustCompile(`name="key" value="([^"]+)"`).FindStringSubmatch(page)[1]
	film := append([]byte("\x00\x00\x00\x14ftypqt  "), make([]byte, 50)...)
	if status, page := c.handsFiles(address, map[string]string{"action": "addEvidence", "key": key}, chosen{"photos", nil}, chosen{"video", film}); status != http.StatusOK {
		t.Fatalf("added: %d %s", status, page)
	}
	cases := asks[struct{ Cases []CaseView }](d.as("xiaomei"), http.StatusOK, http.MethodGet, "/api/cases", nil)
	shown := asks[CaseDetail](d.as("xiaomei"), http.StatusOK, http.MethodGet, "/api/cases/"+cases.Cases[0].Name, nil)
	want := map[string][]byte{"image/png": picture(100), "video/mp4": long, "video/quicktime": film}
	got := map[string][]byte{}
	for _, file := range shown.Files {
		sent := d.as("xiaomei").sends(http.MethodGet, "/api/cases/"+shown.Name+"/evidence/"+file.ID.String(), nil)
		got[sent.header.Get("Content-Type")] = sent.body
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the case's files (-want +got):\n%s", diff)
	}
	w.keepsNoPieces()
}

// keepsNoPieces says that of no video more is kept than the file.
func (w *world) keepsNoPieces() {
	w.t.Helper()
	eventually(w.t, "the pieces of videos go", func() bool {
		var pieces int
		if err := w.store.Pool().QueryRow(w.t.Context(), "SELECT count(*) FROM media_piece").Scan(&pieces); err != nil {
			w.t.Fatal(err)
		}
		return pieces == 0
	})
}

func TestAVideoThatCannotBePlayedOrIsTooLongIsRefused(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	c := d.customer()
	for name, tc := range map[string]struct {
		videos [][]byte
		want   string
	}{
		"a page that calls itself a video":     {[][]byte{[]byte("<!doctype html><script>alert(1)</script>")}, "只能上传 MP4、MOV、WebM 格式的视频"},
		"a photo that calls itself a video":    {[][]byte{picture(100)}, "只能上传 MP4、MOV、WebM 格式的视频"},
		"a photo of a telephone, as it is":     {[][]byte{[]byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic")}, "只能上传 MP4、MOV、WebM 格式的视频"},
		"a film in a box that is not played":   {[][]byte{[]byte("\x1a\x45\xdf\xa3\x93\x42\x82\x88matroska")}, "只能上传 MP4、MOV、WebM 格式的视频"},
		"one that is larger than what is kept": {[][]byte{video(maxVideo)}, "视频过大,最多 20 MB"},
		"two":                                  {[][]byte{video(10), video(pieceSize)}, "最多上传 1 段视频"},
	} {
		t.Run(name, func(t *testing.T) {
			address := w.link(d, w.assigned("after-sales", "xiaomei", uuid.NewString()))
			var files []chosen
			for _, video := range tc.videos {
				files = append(files, chosen{"video", video})
			}
			status, page := c.handsFiles(address, filled(nil), files...)
			if status != http.StatusUnprocessableEntity || !regexp.MustCompile(`name="video"[^>]* aria-invalid="true"[^>]*>\s*<span class="wrong">`+tc.want).MatchString(page) {
				t.Errorf("status %d, want %q at the video in %s", status, tc.want, page)
			}
			w.keepsNoPieces()
		})
	}
	if started := w.outboxOf(store.TargetStart + promise.AfterSalesWorkflow); len(started) != 0 {
		t.Errorf("%d processes were started", len(started))
	}
}

func TestFilesThatNobodyWantsAreNotKeptWhileTheyCome(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	c := d.customer()
	opened := func() (address string) {
		address = w.link(d, w.assigned("after-sales", "xiaomei", uuid.NewString()))
		if status, page := c.hands(address, filled(nil)); status != http.StatusOK {
			t.Fatalf("handed in: %d %s", status, page)
		}
		w.passes(formInterval)
		return address
	}
	ended := opened()
	if status, page := c.hands(ended, map[string]string{"action": "withdraw"}); status != http.StatusOK {
		t.Fatalf("withdrawn: %d %s", status, page)
	}
	w.passes(formInterval)
	addresses := map[string]string{"a case that takes them": opened(), "a case that has ended": ended}
	// A piece that has to be kept cannot be.
	if _, err := w.store.Pool().Exec(t.Context(), "ALTER TABLE media_piece RENAME TO media_piece_away"); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		to     string
		values map[string]string
		status int
		want   string
	}{
		"evidence of a case that has ended":             {"a case that has ended", map[string]string{"action": "addEvidence"}, http.StatusUnprocessableEntity, "现在不能进行这项操作"},
		"an application for a case that is open":        {"a case that takes them", filled(nil), http.StatusOK, "补充照片"},
		"with an action that takes none":                {"a case that takes them", map[string]string{"action": "approve"}, http.StatusUnprocessableEntity, "现在不能进行这项操作"},
		"wanted evidence, which is kept while it comes": {"a case that takes them", map[string]string{"action": "addEvidence"}, http.StatusServiceUnavailable, "系统繁忙"},
	} {
		t.Run(name, func(t *testing.T) {
			w.passes(formInterval)
			status, page := c.handsFiles(addresses[tc.to], tc.values, chosen{"photos", []byte("no photo")}, chosen{"video", video(2 * pieceSize)})
			if status != tc.status || !strings.Contains(page, tc.want) {
				t.Errorf("status %d, want %d and %q: %s", status, tc.status, tc.want, page)
			}
		})
	}
}

func TestOfACustomersFilesOnlySoMuchIsKeptInADay(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	photo, film := chosen{"photos", picture(92)}, chosen{"video", video(pieceSize)}
	for name, tc := range map[string]struct {
		before int
		by     string
		ago    time.Duration
		files  []chosen
		// refused is the field at which it is said that it is too much.
		refused string
	}{
		"a photo that just fits":                    {maxKept - 100, "they", time.Hour, []chosen{photo}, ""},
		"a photo that does not":                     {maxKept - 99, "they", time.Hour, []chosen{photo}, "photos"},
		"a second photo that does not":              {maxKept - 199, "they", time.Hour, []chosen{photo, photo}, "photos"},
		"a video that does not":                     {maxKept - pieceSize, "they", time.Hour, []chosen{film}, "video"},
		"an application without files":              {maxKept, "they", time.Hour, nil, ""},
		"a photo a day after the others":            {maxKept, "they", keptWithin, []chosen{photo}, ""},
		"a photo of who has sent none":              {maxKept, "somebody", time.Hour, []chosen{photo}, ""},
		"a photo, where a longer name has sent all": {maxKept, "they too", time.Hour, []chosen{photo}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			who := "c" + uuid.NewString()
			address := w.link(d, w.assigned("after-sales", "xiaomei", who))
			w.hasSent(strings.ReplaceAll(tc.by, "they", who), tc.before, w.clock().Add(-tc.ago))
			status, page := d.customer().handsFiles(address, filled(nil), tc.files...)
			if tc.refused == "" {
				if status != http.StatusOK {
					t.Errorf("handed in: %d %s", status, page)
				}
				return
			}
			if status != http.StatusUnprocessableEntity || !regexp.MustCompile(`name="`+tc.refused+`"[^>]* aria-invalid="true"[^>]*><span class="wrong">24 小时内最多上传 64 MB`).MatchString(page) {
				t.Errorf("status %d, want it said at %s: %s", status, tc.refused, page)
			}
			w.keepsNoPieces()
		})
	}
}

// hasSent keeps so many bytes of a customer's forms.
func (w *world) hasSent(customer string, size int, at time.Time) {
	w.t.Helper()
	for from := 0; from < size; from += maxVideo {
		err := w.store.Queries().FormFileAdd(w.t.Context(), db.FormFileAddParams{
			ID: uuid.New(), Channel: "shop", ExternalID: customer, ContentType: "image/png", Data: make([]byte, min(size-from, maxVideo)), At: at,
		})
		if err != nil {
			w.t.Fatal(err)
		}
	}
}

func TestTheFilesOfAllOfACustomersLinksCount(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	conversation := w.assigned("after-sales", "xiaomei", "c")
	first, second, c := w.link(d, conversation), w.link(d, conversation), d.customer()
	w.hasSent("c", maxKept-2*108, w.clock())
	if status, page := c.hands(first, filled(nil), picture(100)); status != http.StatusOK {
		t.Fatalf("by the first link: %d %s", status, page)
	}
	w.passes(formInterval)
	if status, page := c.hands(second, filled(map[string]string{"order": "LM2"}), picture(101)); status != http.StatusUnprocessableEntity || !strings.Contains(page, "24 小时内最多上传 64 MB") {
		t.Errorf("too much by the second: %d %s", status, page)
	}
	_, page := c.opens(first)
	act := map[string]string{"action": "addEvidence", "key": regexp.MustCompile(`name="key" value="([^"]+)"`).FindStringSubmatch(page)[1]}
	w.passes(formInterval)
	if status, page := c.hands(first, act, picture(101)); status != http.StatusUnprocessableEntity || !strings.Contains(page, "24 小时内最多上传 64 MB") {
		t.Errorf("too much on the page of the case: %d %s", status, page)
	}
	for range 2 { // What is sent again counts once.
		w.passes(formInterval)
		if status, page := c.hands(first, act, picture(100)); status != http.StatusOK {
			t.Errorf("what just fits, on the page of the case: %d %s", status, page)
		}
	}
}

func TestFormsOfOthersThatTakeLongLeaveTheWayFree(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	c := d.customer()
	small, large, film := chosen{"photos", picture(100)}, chosen{"photos", picture(maxUpload - 8)}, chosen{"video", video(3 * pieceSize)}
	for name, tc := range map[string]struct {
		// free is what others leave.
		free   int64
		files  []chosen
		status int
	}{
		"an application without files":                  {0, nil, http.StatusOK},
		"one with an input in which nothing was chosen": {0, []chosen{{"photos", nil}, {"video", nil}}, http.StatusOK},
		"a photo":                             {0, []chosen{small}, http.StatusServiceUnavailable},
		"a video":                             {baseForm - 1, []chosen{film}, http.StatusServiceUnavailable},
		"a video, where there is room for it": {baseForm, []chosen{film}, http.StatusOK},
		"six photos that are small, where there is room for a large one": {baseForm + maxUpload + 5*108, slices.Repeat([]chosen{small}, 6), http.StatusOK},
		"two photos that are large, where there is room for one":         {baseForm + maxUpload, []chosen{large, large}, http.StatusServiceUnavailable},
		"photos that are not kept, where there is room for one":          {baseForm + maxUpload, slices.Repeat([]chosen{{"photos", picture(maxUpload)}}, 3), http.StatusUnprocessableEntity},
		"all that a form may have, alone":                                {maxForms, append(slices.Repeat([]chosen{large}, maxPhotos), film), http.StatusOK},
	} {
		t.Run(name, func(t *testing.T) {
			address := w.link(d, w.assigned("after-sales", "xiaomei", uuid.NewString()))
			if !d.formed.TryAcquire(maxForms - tc.free) {
				t.Fatal("somebody has not given back what they had")
			}
			status, page := c.handsFiles(address, filled(nil), tc.files...)
			if status != tc.status || status == http.StatusServiceUnavailable && !strings.Contains(page, "现在提交的人较多") {
				t.Errorf("status %d, want %d: %s", status, tc.status, page)
			}
			w.keepsNoPieces()
			d.formed.Release(maxForms - tc.free)
			eventually(t, "the memory comes back", func() bool {
				back := d.formed.TryAcquire(maxForms)
				if back {
					d.formed.Release(maxForms)
				}
				return back
			})
		})
	}
}

func TestOfAFormIsKeptWhatItAsksFor(t *testing.T) {
	t.Parallel()
	var body bytes.Buffer
	writer := multipart.NewWriter(&body)
	for _, name := range []string{"order", "x1", "x2", "", "action"} {
		if err := writer.WriteField(name, "LM1"); err != nil {
			t.Fatal(err)
		}
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", &body)
	request.Header.Set("Content-Type", writer.FormDataContentType())
	form, err := readForm(httptest.NewRecorder(), request, &fileIntake{wanted: true, memory: share{of: newBudget(maxForms)}})
	if diff := cmp.Diff(map[string]string{"order": "LM1", "action": "LM1"}, form.values); err != nil || diff != "" {
		t.Errorf("error %v; kept (-want +got):\n%s", err, diff)
	}
}

func TestWhatIsNotKeptOfAFormTakesNoMemory(t *testing.T) {
	const field = "提交的内容无法识别,请重新填写。"
	part := func(name, header, content string) string {
		return "--b\r\nContent-Disposition: form-data; name=\"" + name + "\"; filename=\"f\"\r\n" + header + "\r\n" + content + "\r\n"
	}
	film, photo := string(video(10)), string(picture(10))
	for name, tc := range map[string]struct {
		parts string
		want  problems
	}{
		"inputs in which nothing was chosen":   {strings.Repeat(part("video", "", ""), 40), nil},
		"what is no video":                     {strings.Repeat(part("video", "", "<script>"), 40), problems{"video": "只能上传 MP4、MOV、WebM 格式的视频。"}},
		"videos beside the first":              {strings.Repeat(part("video", "", film), 40), problems{"video": "最多上传 1 段视频。"}},
		"photos beyond those that are taken":   {strings.Repeat(part("photos", "", photo), 6) + part("photos", "", photo+strings.Repeat("x", maxUpload)), problems{"photos": "最多上传 6 张照片。"}},
		"a large file that nobody asked for":   {part("other", "", strings.Repeat("x", 10*maxUpload)), nil},
		"more parts than any form has":         {strings.Repeat(part("x", "", ""), 41), problems{"": field}},
		"more photos than any form has parts":  {strings.Repeat(part("photos", "", photo), 100), problems{"photos": "最多上传 6 张照片。"}},
		"a header that is longer than headers": {part("x", strings.Repeat("A: "+strings.Repeat("a", 1000)+"\r\n", 8000), ""), problems{"photos": "文件过大或网络中断,照片每张最多 2 MB,视频最多 20 MB,请重新选择。"}},
	} {
		t.Run(name, func(t *testing.T) {
			request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(tc.parts+"--b--\r\n"))
			request.Header.Set("Content-Type", "multipart/form-data; boundary=b")
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := readForm(httptest.NewRecorder(), request, &fileIntake{wanted: true, memory: share{of: newBudget(maxForms)}})
			runtime.ReadMemStats(&after)
			var wrong *formError
			if errors.As(err, &wrong) != (tc.want != nil) {
				t.Fatalf("the form is refused with %v", err)
			}
			if tc.want != nil {
				if diff := cmp.Diff(tc.want, wrong.problems); diff != "" {
					t.Errorf("what is wrong (-want +got):\n%s", diff)
				}
			}
			if took := after.TotalAlloc - before.TotalAlloc; took > 3*pieceSize {
				t.Errorf("it took %d bytes", took)
			}
		})
	}
}
