// Package conformance is what every connector has to do, whatever it speaks: a suite that runs a connectors.Type in
// connectors/host, with a real broker and a real database, against the other side of its wire.
//
// A new channel gets it by three steps:
//
//   - A stand-in for its platform, which shares no code with the connector, as hack/wechatsim is for WeChat.
//   - A Platform over the stand-in, as connectors/conformance/wechatplatform is: accounts that customers write to and that
//     connectors send by. What an Account can do beyond the interface of that name (deliver again, fail, change its keys)
//     makes those checks possible that need it: Repeater, Failing, Rotator and so on.
//   - A test beside the connector, with the reason for each check that the channel cannot pass.
//
// The test is short:
//
//	func TestConformance(t *testing.T) {
//		t.Parallel()
//		conformance.Run(t, conformance.Subject{
//			Type: email.Type{}, NewPlatform: mailserver.New,
//			Gaps: map[conformance.Check]string{conformance.BadCallsAreRefused: "nobody calls us: mail is fetched"},
//		})
//	}
//
// Every check runs, or its gap is declared and shown as a skipped test. An account that lacks what a check needs fails the
// check: nothing is left out by being forgotten.
//
// It must not know any protocol. Only tests import it.
package conformance
