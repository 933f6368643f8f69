package main

import (
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/roster"
	"github.com/yingda-dev/yingda/internal/domain/staffing"
)

const (
	// promise is the time in which customers are answered.
	promise = 2 * time.Minute
	// days of a Wednesday that are played, and the slot of the day by which customers are asked how long they waited.
	days = 400
	slot = 15 * time.Minute
	// opens and closes are the hours of a weekday.
	opens, closes = 9 * time.Hour, 21 * time.Hour
)

// floors are the seats of a Wednesday in the planned week, as the schedule has them and as it has them once it covers the week.
func floors(schedule, calendar string, history []roster.Interval) (before, after []staffing.Staff, err error) {
	var declared v1alpha1.ShiftSchedule
	var china v1alpha1.HolidayCalendar
	if err := read(schedule, &declared); err != nil {
		return nil, nil, err
	}
	if err := read(calendar, &china); err != nil {
		return nil, nil, err
	}
	question := roster.Question{
		Schedule: declared.Spec, Calendars: []v1alpha1.HolidayCalendarSpec{china.Spec}, History: history, Concurrency: atOnce,
		Target: staffing.Target{Within: promise, Percent: 90, MaxOccupancy: 85, Shrinkage: 30},
	}
	week, err := roster.Plan(question)
	if err != nil {
		return nil, nil, err
	}
	before = wednesday(week)
	question.Schedule = week.Cover()
	if week, err = roster.Plan(question); err != nil {
		return nil, nil, err
	}
	return before, wednesday(week), nil
}

func read(file string, into any) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return yaml.UnmarshalStrict(text, into)
}

// wednesday is without the closing: whoever is in the queue by then is still served.
func wednesday(week *roster.Weeks) []staffing.Staff {
	var staff []staffing.Staff
	for of, hour := range week.Hours[2*24 : 3*24] {
		if hour.Open > 0 {
			staff = append(staff, staffing.Staff{From: time.Duration(of) * time.Hour, Seats: hour.Scheduled})
		}
	}
	return staff
}

// day is what customers live through.
type day struct {
	slots []waited
	// inTime is the share of customers who are answered within the promise, worst that of the worst slot.
	inTime, worst float64
}

// waited is how long nine of ten customers of a slot wait at most.
type waited struct{ at, most time.Duration }

// play plays many Wednesdays, on which customers come at the rates by which the history was invented.
func play(staff []staffing.Staff) day {
	random := rand.New(rand.NewPCG(2026, 11))
	waits := make([][]time.Duration, (closes-opens)/slot)
	for range days {
		var contacts []staffing.Contact
		for i, rate := range weekdayRates() {
			from := opens + time.Duration(i)*time.Hour
			load := staffing.Load{Arrivals: rate * math.Pow(growth, weeks), Handling: handling}
			contacts = append(contacts, staffing.Arrivals(random, load, from, from+time.Hour)...)
		}
		for i, served := range staffing.Simulate(contacts, staffing.Floor{Staff: staff, Concurrency: atOnce}) {
			of := (contacts[i].At - opens) / slot
			waits[of] = append(waits[of], served.Wait)
		}
	}
	played, customers := day{worst: 1}, 0.0
	for of, all := range waits {
		slices.Sort(all)
		inTime, _ := slices.BinarySearch(all, promise+1)
		played.inTime += float64(inTime)
		played.worst = min(played.worst, float64(inTime)/float64(len(all)))
		customers += float64(len(all))
		played.slots = append(played.slots, waited{at: opens + time.Duration(of)*slot, most: all[len(all)*9/10]})
	}
	played.inTime /= customers
	return played
}
