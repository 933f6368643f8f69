package wechatsim

import (
	"encoding/json"
	"net/http"
	"time"
)

const clearsPerMonth = 10

// dailyLimits says how often a new account may make each call a day.
func dailyLimits(app App) map[string]int {
	return map[string]int{
		opToken:      2000,
		opStable:     500_000,
		opSend:       app.DailySendQuota,
		opTemplate:   100_000,
		opUpload:     100_000,
		opMedia:      200_000,
		opUserInfo:   5_000_000,
		opMenuCreate: 1000,
		opMenuGet:    10_000,
		opMenuDelete: 1000,
		opQRCode:     100_000,
	}
}

// quotaBook counts calls a day, and how often the counts were cleared this month. The account's mutex guards it.
type quotaBook struct {
	day, month string
	used       map[string]int
	clears     int
}

// today forgets the counts of yesterday.
func (q *quotaBook) today(now time.Time) map[string]int {
	if day := now.Format(tokenDay); q.day != day {
		q.day, q.used = day, map[string]int{}
	}
	return q.used
}

func (q *quotaBook) clear(now time.Time) error {
	if month := now.Format("2006-01"); q.month != month {
		q.month, q.clears = month, 0
	}
	if q.clears >= clearsPerMonth {
		return wxErrorf(48006, "forbid to clear quota because of reaching the limit")
	}
	q.clears++
	q.used = map[string]int{}
	return nil
}

// countLocked charges one call, or answers 45009. The caller holds a.mu.
func (a *account) countLocked(op string, now time.Time) error {
	used := a.quota.today(now)
	if used[op] >= dailyLimits(a.app)[op] {
		return wxErrorf(45009, "reach max api daily quota limit")
	}
	used[op]++
	return nil
}

// Quota is how much of a daily limit is used.
type Quota struct {
	Limit int `json:"limit"`
	Used  int `json:"used"`
}

// Quotas lists the daily limits of an app by call.
func (s *Server) Quotas(appID string) (map[string]Quota, error) {
	acc, err := s.account(appID)
	if err != nil {
		return nil, err
	}
	now := s.now()
	acc.mu.Lock()
	defer acc.mu.Unlock()
	quotas := map[string]Quota{}
	for op, limit := range dailyLimits(acc.app) {
		quotas[op] = Quota{Limit: limit, Used: acc.quota.today(now)[op]}
	}
	return quotas, nil
}

// ExhaustQuota uses up what is left of a call's daily limit.
func (s *Server) ExhaustQuota(appID, op string) error {
	acc, err := s.account(appID)
	if err != nil {
		return err
	}
	now := s.now()
	acc.mu.Lock()
	defer acc.mu.Unlock()
	limit, ok := dailyLimits(acc.app)[op]
	if !ok {
		return problemf(http.StatusNotFound, "no such quota: GET quotas lists them")
	}
	acc.quota.today(now)[op] = limit
	return nil
}

func (s *Server) getQuotas(r *http.Request) (any, error) { return s.Quotas(r.PathValue("appid")) }

func (s *Server) exhaustQuota(r *http.Request) (any, error) {
	return map[string]any{}, s.ExhaustQuota(r.PathValue("appid"), r.PathValue("name"))
}

// serveClearQuota is POST /cgi-bin/clear_quota.
func (s *Server) serveClearQuota(c *call) (answer, error) {
	var body struct {
		AppID string `json:"appid"`
	}
	if json.Unmarshal(c.body, &body) != nil {
		return answer{}, wxErrorf(47001, "data format error")
	}
	now := s.now()
	c.account.mu.Lock()
	defer c.account.mu.Unlock()
	if body.AppID != c.account.app.AppID {
		return answer{}, wxErrorf(40013, "invalid appid")
	}
	if err := c.account.quota.clear(now); err != nil {
		return answer{}, err
	}
	return okAnswer(), nil
}
