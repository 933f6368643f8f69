package desk

import (
	"context"
	"errors"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/yingda-dev/yingda/internal/domain/oncall"
	"github.com/yingda-dev/yingda/internal/store"
)

// maxBody is the largest body of a request that is no picture.
const maxBody = 64 << 10

// routes are all paths of the desk.
func (d *Desk) routes(page http.Handler) http.Handler {
	mux := http.NewServeMux()
	config := huma.DefaultConfig("Yingda desk", "v1alpha1")
	config.Info.Description = "The workbench of a brand's agents. Sign in with POST /api/session, or send the trial token as Authorization: Bearer. " +
		"GET /api/stream?after=<seq> is a WebSocket that brings the agent's frames."
	// No page of documentation: it would load its script from another host. No $schema in answers: they are what they say.
	config.DocsPath, config.SchemasPath, config.CreateHooks = "", "", nil
	config.Transformers = append(config.Transformers, withoutValues)
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"trialToken": {Type: "http", Scheme: "bearer"},
		"session":    {Type: "apiKey", In: "cookie", Name: cookieName},
		"providerSignature": {
			Type: "apiKey", In: "header", Name: oncall.HeaderSignature,
			Description: `t=<seconds since 1970>,v1=<HMAC-SHA256 of "<t>.<body>" in hex>, by the key "key" of the Secret that spec.provider.secretRef of the Brand names`,
		},
	}
	describeUUIDs(config.Components.Schemas)
	api := humago.New(mux, config)
	d.agentRoutes(api)
	d.conversationRoutes(api)
	d.complaintRoutes(api)
	d.caseRoutes(api)
	d.emergencyRoutes(api)
	d.afterSalesRoutes(api)
	d.orderRoutes(api)
	d.formRoutes(api, mux)
	d.providerRoutes(api)
	d.exportRoutes(api)
	d.reviewRoutes(api)
	d.judgementRoutes(api)
	d.weekRoutes(api)
	d.tierRoutes(api)
	d.ratingRoutes(api)
	d.taskRoutes(api)
	d.mediaRoutes(api)
	describeReasons(api)
	describeActions(api)
	if d.Payloads != nil {
		d.codecRoutes(mux)
	}
	mux.HandleFunc("GET "+streamPath, d.stream)
	mux.HandleFunc("/api/", func(w http.ResponseWriter, _ *http.Request) {
		writeProblem(w, problem(http.StatusNotFound, "NoSuchPath", "there is nothing here; see /openapi.json"))
	})
	mux.Handle("/", page)
	return mux
}

// withoutValues keeps a refusal from quoting what was sent, which may be a token or what a customer wrote.
func withoutValues(_ huma.Context, _ string, answer any) (any, error) {
	if refused, ok := answer.(*huma.ErrorModel); ok {
		for _, detail := range refused.Errors {
			detail.Value = nil
		}
	}
	return answer, nil
}

// handle registers an operation for those who are signed in.
func handle[I, O any](d *Desk, api huma.API, operation huma.Operation, f func(ctx context.Context, p *principal, in *I) (*O, error)) {
	operation.Security = []map[string][]string{{"trialToken": {}}, {"session": {}}}
	if operation.MaxBodyBytes == 0 {
		operation.MaxBodyBytes = maxBody
	}
	refusable(&operation, reflect.TypeFor[I]())
	huma.Register(api, operation, func(ctx context.Context, in *I) (*O, error) {
		out, err := f(ctx, principalOf(ctx), in)
		return out, d.clientError(ctx, operation.OperationID, err)
	})
}

// clientError turns an error into what the client may see.
func (d *Desk) clientError(ctx context.Context, operation string, err error) error {
	var refused huma.StatusError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refused):
		// As it is: it may carry headers.
		return err
	case store.IsRefused(err):
		return problem(http.StatusUnprocessableEntity, "BadContent", "the content holds characters that cannot be kept")
	default:
		return d.unexpected(ctx, operation, err)
	}
}
