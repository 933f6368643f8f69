package desk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/jackc/pgx/v5"

	"github.com/yingda-dev/yingda/internal/domain/quality"
	"github.com/yingda-dev/yingda/internal/domain/schedule"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
)

const (
	maxReports = 200
	// quarterWeeks are three months.
	quarterWeeks = 13
)

// ListedReport names a report.
type ListedReport struct {
	Name   string    `json:"name"`
	MadeAt time.Time `json:"madeAt"`
}

type reportsOutput struct {
	Body struct {
		Weeks []ListedReport `json:"weeks" nullable:"false"`
	}
}

type weekInput struct {
	Week string `path:"week" pattern:"^[0-9]{4}-W[0-9]{2}(-[0-9]{1,2}w)?$" maxLength:"16" doc:"A week as 2026-W47, or 13 that end with it as 2026-W47-13w."`
}

type reportOutput struct{ Body quality.Report }

type patchOutput struct {
	ContentType string `header:"Content-Type"`
	Body        []byte
}

type lastWeekInput struct {
	Week string `path:"week" pattern:"^[0-9]{4}-W[0-9]{2}$" doc:"The last of the weeks, as 2026-W47."`
}

type askedReportOutput struct {
	Body struct {
		Name string `json:"name" doc:"By which the report is found once it is made."`
	}
}

func (d *Desk) weekRoutes(api huma.API) {
	const weeks, week = "/api/quality/weeks", "/api/quality/weeks/{week}"
	handle(d, api, huma.Operation{
		OperationID: "quality-weeks", Method: http.MethodGet, Path: weeks, Errors: []int{403}, Summary: "The reports of what conversations were about, the newest first; for supervisors",
	}, d.weeks)
	handle(d, api, huma.Operation{
		OperationID: "quality-week", Method: http.MethodGet, Path: week, Errors: []int{403, 404}, Summary: "What a week's conversations were about; for supervisors",
	}, d.week)
	handle(d, api, huma.Operation{
		OperationID: "quality-week-faq", Method: http.MethodGet, Path: week + "/faq.yaml", Errors: []int{403, 404},
		Summary: "What the Playbooks' FAQs lack by a report, to be edited and applied; for supervisors",
	}, d.weekPatch)
	handle(d, api, huma.Operation{
		OperationID: "quality-quarter", Method: http.MethodPost, Path: week + "/quarter", DefaultStatus: http.StatusAccepted, Errors: []int{403, 404, 409},
		Summary: "Have a report made of the 13 weeks that end with a week; for supervisors",
	}, d.quarter)
}

func (d *Desk) weeks(ctx context.Context, p *principal, _ *nothing) (*reportsOutput, error) {
	if err := supervisorsOnly(p); err != nil {
		return nil, err
	}
	rows, err := d.Store.Queries().QualityReports(ctx, maxReports)
	if err != nil {
		return nil, fmt.Errorf("listing reports: %w", err)
	}
	out := &reportsOutput{}
	out.Body.Weeks = make([]ListedReport, len(rows))
	for i, row := range rows {
		out.Body.Weeks[i] = ListedReport{row.Name, row.MadeAt}
	}
	return out, nil
}

func (d *Desk) week(ctx context.Context, p *principal, in *weekInput) (*reportOutput, error) {
	report, err := d.report(ctx, p, in.Week)
	return &reportOutput{report}, err
}

func (d *Desk) weekPatch(ctx context.Context, p *principal, in *weekInput) (*patchOutput, error) {
	report, err := d.report(ctx, p, in.Week)
	if err != nil {
		return nil, err
	}
	return &patchOutput{"application/yaml; charset=utf-8", []byte(report.Patch(d.Names.Namespace))}, nil
}

// quarter has the workflow make a report. One of that name that is being made, or was in the last month, is left alone.
func (d *Desk) quarter(ctx context.Context, p *principal, in *lastWeekInput) (*askedReportOutput, error) {
	if err := supervisorsOnly(p); err != nil {
		return nil, err
	}
	zone := schedule.DefaultTimeZone
	if declared, on := d.Catalog.Snapshot().Quality(); on {
		zone = declared.TimeZone
	}
	location, err := time.LoadLocation(zone)
	if err != nil {
		return nil, fmt.Errorf("reading the brand's time zone: %w", err)
	}
	last, err := quality.Week(in.Week, location)
	if err != nil {
		return nil, errNoWeek()
	}
	if last.Until.After(d.Now()) {
		return nil, refusal(http.StatusConflict, "NotOver", "the week is not over yet")
	}
	out := &askedReportOutput{}
	out.Body.Name = last.Last(quarterWeeks, location).Name
	err = d.Store.Do(ctx, d.scope(), func(ctx context.Context, u *store.Unit) error {
		return u.StartWorkflow(ctx, promise.QualityWeekID(d.Names.Namespace, d.Names.Brand, out.Body.Name), promise.QualityWeekWorkflow, promise.QualityWeekInput{
			Namespace: d.Names.Namespace, Brand: d.Names.Brand, TimeZone: zone, Weeks: quarterWeeks, LastWeek: last.Name,
		})
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (d *Desk) report(ctx context.Context, p *principal, name string) (quality.Report, error) {
	if err := supervisorsOnly(p); err != nil {
		return quality.Report{}, err
	}
	row, err := d.Store.Queries().QualityReportGet(ctx, name)
	if errors.Is(err, pgx.ErrNoRows) {
		return quality.Report{}, errNoWeek()
	}
	if err != nil {
		return quality.Report{}, fmt.Errorf("reading a report: %w", err)
	}
	var report quality.Report
	if err := json.Unmarshal(row.Report, &report); err != nil {
		return quality.Report{}, fmt.Errorf("decoding a report: %w", err)
	}
	return report, nil
}

func errNoWeek() error {
	return refusal(http.StatusNotFound, "NoSuchWeek", "there is no such week, or no report of it")
}
