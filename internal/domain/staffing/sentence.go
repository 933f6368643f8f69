package staffing

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// String says why that many seats are wanted, as status does: 42 contacts/h at 5m10s want 6 seats for 90 % within 2m. Seats
// are those on duty; whom to roster for them follows where it differs.
func (r Recommendation) String() string {
	if r.Bound == BoundNone {
		return "no contacts want no seats"
	}
	load := fmt.Sprintf("%s at %s", count(r.Load.Arrivals, "contact")+"/h", Short(r.Load.Handling))
	if r.Load.Concurrency > 1 {
		load += fmt.Sprintf(", %s at once,", number(r.Load.Concurrency))
	}
	said := fmt.Sprintf("%s want %s for %s", load, count(float64(r.OnDuty), "seat"), r.purpose())
	if r.Seats != r.OnDuty {
		said += fmt.Sprintf(", %d rostered at %s %% shrinkage", r.Seats, number(r.Target.Shrinkage))
	}
	return said
}

func (r Recommendation) purpose() string {
	promise := fmt.Sprintf("%s %% within %s", number(r.Target.Percent), Short(r.Target.Within))
	switch r.Bound {
	case BoundOccupancy:
		return fmt.Sprintf("at most %s %% occupancy", number(r.Target.MaxOccupancy))
	case BoundMaxSeats:
		return promise + ", and more than there may be"
	default:
		return promise
	}
}

// Short writes a duration as people do, to the second: 5m10s, 2m, 1h.
func Short(d time.Duration) string {
	text := d.Round(time.Second).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// number writes at most one digit after the point, and none of a whole number.
func number(n float64) string { return strconv.FormatFloat(math.Round(n*10)/10, 'f', -1, 64) }

func count(n float64, noun string) string {
	if text := number(n); text != "1" {
		return text + " " + noun + "s"
	}
	return "1 " + noun
}
