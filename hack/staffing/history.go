package main

import (
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"time"

	"github.com/yingda-dev/yingda/internal/domain/roster"
	"github.com/yingda-dev/yingda/internal/domain/staffing"
)

const (
	// handling is the mean of the invented group; an agent has atOnce chats.
	handling = 9 * time.Minute
	atOnce   = 3
	// growth is from week to week.
	growth = 1.02
	// weeks of history.
	weeks = 5
)

// weekdayRates and weekendRates are contacts an hour, from 09:00 and from 10:00 on.
func weekdayRates() []float64 { return []float64{10, 14, 16, 48, 44, 18, 14, 14, 16, 22, 50, 46} }
func weekendRates() []float64 { return []float64{8, 10, 14, 14, 12, 10, 10, 10} }

// invent makes five weeks from Monday 2026-09-28, with the National Day holiday and its make-up workday.
func invent(zone *time.Location) []roster.Interval {
	random := rand.New(rand.NewPCG(2026, 9))
	var history []roster.Interval
	for day := range 7 * weeks {
		date := time.Date(2026, time.September, 28+day, 0, 0, 0, 0, zone)
		rates, from := weekdayRates(), 9
		if restDay(date) {
			rates, from = weekendRates(), 10
		}
		for i, rate := range rates {
			rate *= math.Pow(growth, float64(day)/7)
			start := date.Add(time.Duration(from+i) * time.Hour)
			contacts := staffing.Arrivals(random, staffing.Load{Arrivals: rate, Handling: handling}, 0, time.Hour)
			if len(contacts) == 0 {
				continue
			}
			var sum time.Duration
			for _, contact := range contacts {
				sum += contact.Handling
			}
			mean := (sum / time.Duration(len(contacts))).Round(time.Second)
			history = append(history, roster.Interval{Start: start, Contacts: float64(len(contacts)), Handling: mean})
		}
	}
	return history
}

// restDay knows the weekends, the holiday from the 1st to the 7th, and the Saturday that is worked for it.
func restDay(date time.Time) bool {
	switch {
	case date.Month() == time.October && date.Day() <= 7:
		return true
	case date.Month() == time.October && date.Day() == 10:
		return false
	default:
		return date.Weekday() == time.Saturday || date.Weekday() == time.Sunday
	}
}

func writeHistory(out io.Writer, history []roster.Interval) {
	fmt.Fprintln(out, "skill_group,start,contacts,handling_seconds")
	for _, i := range history {
		fmt.Fprintf(out, "after-sales,%s,%.0f,%.0f\n", i.Start.Format("2006-01-02 15:04:05Z07"), i.Contacts, i.Handling.Seconds())
	}
}
