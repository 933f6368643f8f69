package wechatsim

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"slices"
	"time"
)

const (
	unionIDLength = 28
	loginLifetime = 5 * time.Minute
	maxLogins     = 1000
)

// Profile is what the platform knows of a customer of one app.
type Profile struct {
	// person says who the customer is: the same person has one unionid in all apps of an open platform account.
	Person string `json:"person,omitempty"`
	// follows, since when, how (ADD_SCENE_...), and by which scene of a QR code: of an official account's customer.
	Follows        bool       `json:"follows,omitempty"`
	FollowedAt     *time.Time `json:"followedAt,omitempty"`
	SubscribeScene string     `json:"subscribeScene,omitempty"`
	QRScene        string     `json:"qrScene,omitempty"`
	// left is set when the customer has unfollowed.
	Left bool `json:"left,omitempty"`
	// refusesMessages makes custom/send answer 48002.
	RefusesMessages bool `json:"refusesMessages,omitempty"`
	// templateStatus is what TEMPLATESENDJOBFINISH says of the customer's template messages (default success).
	TemplateStatus string `json:"templateStatus,omitempty"`
}

// follow makes the customer a follower.
func (p *Profile) follow(subscribeScene, qrScene string, at time.Time) {
	p.Follows, p.Left = true, false
	p.FollowedAt, p.SubscribeScene, p.QRScene = &at, subscribeScene, qrScene
}

// unfollow forgets how the customer came.
func (p *Profile) unfollow() {
	p.Follows, p.Left = false, true
	p.FollowedAt, p.SubscribeScene, p.QRScene = nil, "", ""
}

// unionIDLocked is the same for a person in all apps of one open platform account, and says nothing about who it is.
func (a *account) unionIDLocked(c *customer) string {
	if a.app.OpenPlatform == "" {
		return ""
	}
	person := c.profile.Person
	if person == "" {
		person = a.app.AppID + "\x00" + c.openID
	}
	sum := sha256.Sum256([]byte(a.app.OpenPlatform + "\x00" + person))
	return "o" + base64.RawURLEncoding.EncodeToString(sum[:])[:unionIDLength-1]
}

// ProfilePatch changes what a test may set of a Profile.
type ProfilePatch struct {
	Person          *string `json:"person"`
	RefusesMessages *bool   `json:"refusesMessages"`
	TemplateStatus  *string `json:"templateStatus"`
}

func templateStatuses() []string {
	return []string{"", "success", "failed:user block", "failed: system failed"}
}

// PatchCustomer changes a customer's profile; one that does not exist yet is made, without any window.
func (s *Server) PatchCustomer(appID, openID string, patch ProfilePatch) (CustomerInfo, error) {
	if patch.TemplateStatus != nil && !slices.Contains(templateStatuses(), *patch.TemplateStatus) {
		return CustomerInfo{}, problemf(http.StatusBadRequest, "templateStatus must be one of %q", templateStatuses()[1:])
	}
	acc, err := s.account(appID)
	if err != nil {
		return CustomerInfo{}, err
	}
	now := s.now()
	acc.mu.Lock()
	defer acc.mu.Unlock()
	c, err := acc.customerLocked(openID)
	if err != nil {
		return CustomerInfo{}, err
	}
	setGiven(&c.profile.Person, patch.Person)
	setGiven(&c.profile.RefusesMessages, patch.RefusesMessages)
	setGiven(&c.profile.TemplateStatus, patch.TemplateStatus)
	return acc.infoLocked(c, now), nil
}

func setGiven[T any](value *T, given *T) {
	if given != nil {
		*value = *given
	}
}

func (s *Server) patchCustomer(r *http.Request) (any, error) {
	var patch ProfilePatch
	if err := readBody(r, &patch); err != nil {
		return nil, err
	}
	return s.PatchCustomer(r.PathValue("appid"), r.PathValue("openid"), patch)
}

// login is one wx.login of a mini-program's user, good for one exchange.
type login struct {
	openID  string
	expires time.Time
}

// Login gives the code that wx.login gives to a mini-program, which its server exchanges for the openid and the unionid.
func (s *Server) Login(appID, openID string) (string, error) {
	acc, err := s.account(appID)
	if err != nil {
		return "", err
	}
	now := s.now()
	acc.mu.Lock()
	defer acc.mu.Unlock()
	if acc.app.Kind != KindMiniProgram {
		return "", problemf(http.StatusConflict, "only users of a mini-program log in")
	}
	if len(acc.logins) >= maxLogins {
		return "", problemf(http.StatusTooManyRequests, "%d codes were not exchanged yet", maxLogins)
	}
	if _, err := acc.customerLocked(openID); err != nil {
		return "", err
	}
	code := "0" + randomText(31)
	acc.logins[code] = login{openID: openID, expires: now.Add(loginLifetime)}
	return code, nil
}

func (s *Server) postLogin(r *http.Request) (any, error) {
	code, err := s.Login(r.PathValue("appid"), r.PathValue("openid"))
	return map[string]string{"code": code}, err
}
