package tlsfiles

import "strings"

const refused = "the server refused the client certificate or its absence: FIELD must name one (tls.crt, tls.key) that an authority of the server's signed"

// Refused is the advice on a connection that was secured and then ended without a word: a server says why it refuses a
// client's certificate, but that may be lost with the connection.
func Refused(field string) string {
	return "most likely " + strings.ReplaceAll(refused, "FIELD", field)
}

// Advice says what to do about a connection that TLS refused with that error; empty when the error is none of TLS's. field is
// the path of the settings that the user can change, spec.kafka.tls say.
//
// It goes by the text of the error, in which crypto/tls and crypto/x509 are the same everywhere: gRPC keeps nothing else of an error,
// and what a server refuses comes as an alert whose type is not exported.
func Advice(text, field string) string {
	for _, known := range []struct{ sign, advice string }{
		{"certificate signed by unknown authority", "put the certificate of the authority that signed the server's into ca.crt of the Secret that FIELD names"},
		{"certificate has expired", "renew the server's certificate, or set the clocks right"},
		{"certificate is valid for", "write the address by a name that the server's certificate holds"},
		{"certificate is not valid for any names", "give the server a certificate that holds its name"},
		{"doesn't contain any IP SANs", "write the address by a name that the server's certificate holds"},
		{"first record does not look like a TLS handshake", "nobody speaks TLS there: write the address of the port that does, or remove FIELD"},
		{"remote error: tls: certificate required", "the server wants a client certificate: put tls.crt and tls.key into the Secret that FIELD names for it"},
		{"remote error: tls: ", refused},
	} {
		if strings.Contains(text, known.sign) {
			return strings.ReplaceAll(known.advice, "FIELD", field)
		}
	}
	return ""
}
