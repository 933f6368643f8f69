package officialaccount

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/connectors"
	"github.com/yingda-dev/yingda/internal/message"
)

func stored(n byte) *message.Media { return &message.Media{ID: uuid.UUID{n}} }

func TestEveryTypeIsSent(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		content message.Content
		want    string
	}{
		"a text":  {text(`<a href="https://a.example">看</a>`), `{"touser":"o1","msgtype":"text","text":{"content":"<a href=\"https://a.example\">看</a>"}}`},
		"typing":  {message.Content{Kind: message.KindTyping}, `{"command":"Typing","touser":"o1"}`},
		"a image": {message.Content{Kind: message.KindImage, Media: stored(1)}, `{"touser":"o1","msgtype":"image","image":{"media_id":"image-1"}}`},
		"a voice": {message.Content{Kind: message.KindVoice, Media: stored(1)}, `{"touser":"o1","msgtype":"voice","voice":{"media_id":"voice-1"}}`},
		"a video": {
			message.Content{Kind: message.KindVideo, Media: stored(1), Thumb: stored(2)},
			`{"touser":"o1","msgtype":"video","video":{"media_id":"video-1","thumb_media_id":"thumb-2"}}`,
		},
		"music": {
			message.Content{Kind: message.KindMusic, Link: &message.Link{Title: "歌", URL: "https://a.example/a.mp3"}, Thumb: stored(2)},
			`{"touser":"o1","msgtype":"music","music":{"title":"歌","description":"","musicurl":"https://a.example/a.mp3","hqmusicurl":"https://a.example/a.mp3","thumb_media_id":"thumb-1"}}`,
		},
		"a link, which is news here": {
			link("开发票", "https://a.example"),
			`{"touser":"o1","msgtype":"news","news":{"articles":[{"title":"开发票","description":"","url":"https://a.example","picurl":""}]}}`,
		},
		"an article": {message.Content{Kind: message.KindArticle, PlatformID: "art"}, `{"touser":"o1","msgtype":"mpnewsarticle","mpnewsarticle":{"article_id":"art"}}`},
		"choices": {
			message.Content{Kind: message.KindChoices, Text: "满意吗?", Choices: []message.Choice{{ID: "5", Text: "满意"}, {ID: "1", Text: "不满意"}}},
			`{"touser":"o1","msgtype":"msgmenu","msgmenu":{"head_content":"满意吗?","list":[{"id":"5","content":"满意"},{"id":"1","content":"不满意"}],"tail_content":""}}`,
		},
		"a card": {message.Content{Kind: message.KindCard, PlatformID: "c"}, `{"touser":"o1","msgtype":"wxcard","wxcard":{"card_id":"c"}}`},
		"a page of a mini-program": {
			message.Content{Kind: message.KindMiniProgramPage, Page: &message.Page{Title: "订单", AppID: "wx1", Path: "pages/a?b=1&c=2", Thumb: stored(1)}},
			`{"touser":"o1","msgtype":"miniprogrampage","miniprogrampage":{"title":"订单","appid":"wx1","pagepath":"pages/a?b=1&c=2","thumb_media_id":"thumb-1"}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, address := newPlatform(t)
			if err := open(t, v1alpha1.MessageModeSecure, address).Send(t.Context(), message.Outbound{Customer: "o1", Content: tt.content}); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{tt.want}, p.sent); diff != "" {
				t.Errorf("sent (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhatCannotBeSentIsRefusedWithoutACall(t *testing.T) {
	t.Parallel()
	p, address := newPlatform(t)
	c := open(t, v1alpha1.MessageModeSecure, address)
	for name, tt := range map[string]struct {
		content message.Content
		want    string
	}{
		"a video without a picture": {message.Content{Kind: message.KindVideo, Media: stored(1)}, "ThumbMissing"},
		"a page without a picture":  {message.Content{Kind: message.KindMiniProgramPage, Page: &message.Page{Path: "a"}}, "ThumbMissing"},
		"a picture without a file":  {message.Content{Kind: message.KindImage}, "TypeNotSupported"},
		"no choices":                {message.Content{Kind: message.KindChoices, Text: "a"}, "TypeNotSupported"},
		"what only customers do":    {message.Content{Kind: message.KindFollowed}, "TypeNotSupported"},
	} {
		failure := connectors.AsCallError(c.Send(t.Context(), message.Outbound{Customer: "o1", Content: tt.content}))
		if failure.Class != connectors.ClassPermanent || failure.Reason != tt.want {
			t.Errorf("%s: %v, want %s", name, failure, tt.want)
		}
	}
	if len(p.sent)+p.uploads > 0 {
		t.Errorf("%d uploads, sent %q", p.uploads, p.sent)
	}
}

func TestFilesThatDiedEarlyAreUploadedOnceMore(t *testing.T) {
	t.Parallel()
	p, address := newPlatform(t)
	c := open(t, v1alpha1.MessageModeSecure, address)
	video := message.Outbound{Customer: "o1", Content: message.Content{Kind: message.KindVideo, Media: stored(1), Thumb: stored(2)}}
	for range 2 {
		if err := c.Send(t.Context(), video); err != nil {
			t.Fatal(err)
		}
	}
	if p.uploads != 2 {
		t.Fatalf("%d uploads, want each file once", p.uploads)
	}
	p.refuse = []int{40007}
	if err := c.Send(t.Context(), video); err != nil || p.uploads != 4 {
		t.Errorf("%v after %d uploads, want both files again", err, p.uploads)
	}
	p.refuse = []int{40007, 40007}
	if err := c.Send(t.Context(), video); connectors.AsCallError(err).Reason != "MediaGone" || p.uploads != 6 {
		t.Errorf("%v after %d uploads, want the failure after one more try", err, p.uploads)
	}
}
