package chart_test

import "testing"

func TestTheExampleOfValuesIsAccepted(t *testing.T) {
	if _, err := template(t, "--values", "values-example.yaml"); err != nil {
		t.Error(err)
	}
}
