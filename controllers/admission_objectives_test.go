package controllers_test

import (
	"testing"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

func TestAdmissionOfObjectives(t *testing.T) { newAdmission(t).tries(objectivesAttempts()) }

func objectivesAttempts() map[string]attempt {
	answered := func(within string, percent int32) *v1alpha1.ServiceLevel {
		return aiming(v1alpha1.ObjectivesSpec{AnsweredWithin: within, AnsweredPercent: &percent})
	}
	over := func(window string) *v1alpha1.ServiceLevel {
		return aiming(v1alpha1.ObjectivesSpec{Window: window, Satisfaction: "4"})
	}
	satisfied := func(points string) *v1alpha1.ServiceLevel {
		return aiming(v1alpha1.ObjectivesSpec{Satisfaction: points})
	}
	return map[string]attempt{
		"objectives of everything": {aiming(v1alpha1.ObjectivesSpec{
			Window: "168h", AnsweredWithin: "2m", AnsweredPercent: new(int32(90)), ResolvedPercent: new(int32(85)), Satisfaction: "4.5", BotContainmentPercent: new(int32(60)),
		}), ""},
		"one objective":                      {aiming(v1alpha1.ObjectivesSpec{ResolvedPercent: new(int32(1))}), ""},
		"no objective":                       {aiming(v1alpha1.ObjectivesSpec{Window: "24h"}), "objectives without any measure nothing"},
		"a time without a percentage":        {aiming(v1alpha1.ObjectivesSpec{AnsweredWithin: "2m", Satisfaction: "4"}), "answeredWithin and answeredPercent belong together"},
		"a percentage without a time":        {aiming(v1alpha1.ObjectivesSpec{AnsweredPercent: new(int32(90))}), "answeredWithin and answeredPercent belong together"},
		"the shortest time, for all":         {answered("1s", 100), ""},
		"the longest time":                   {answered("24h", 1), ""},
		"no time at all":                     {answered("0s", 90), "answeredWithin must be at least 1s and at most 24h"},
		"a time of more than a day":          {answered("25h", 90), "answeredWithin must be at least 1s and at most 24h"},
		"a time without a unit":              {answered("2", 90), "write answeredWithin in hours, minutes and seconds, for example 2m"},
		"more than all answered":             {answered("2m", 101), "should be less than or equal to 100"},
		"nobody answered":                    {answered("2m", 0), "should be greater than or equal to 1"},
		"more than all solved":               {aiming(v1alpha1.ObjectivesSpec{ResolvedPercent: new(int32(101))}), "should be less than or equal to 100"},
		"nothing solved":                     {aiming(v1alpha1.ObjectivesSpec{ResolvedPercent: new(int32(0))}), "should be greater than or equal to 1"},
		"more than all left to the bot":      {aiming(v1alpha1.ObjectivesSpec{BotContainmentPercent: new(int32(101))}), "should be less than or equal to 100"},
		"nothing left to the bot":            {aiming(v1alpha1.ObjectivesSpec{BotContainmentPercent: new(int32(0))}), "should be greater than or equal to 1"},
		"the shortest window":                {over("1h"), ""},
		"too short a window":                 {over("59m"), "window must be at least 1h and at most 168h"},
		"too long a window":                  {over("169h"), "window must be at least 1h and at most 168h"},
		"a window without a unit":            {over("24"), "write window in hours, minutes and seconds, for example 24h"},
		"the best ratings":                   {satisfied("5.0"), ""},
		"the worst ratings":                  {satisfied("1"), ""},
		"better ratings than there are":      {satisfied("5.1"), "write satisfaction as a number from 1 to 5 with at most one decimal"},
		"worse ratings than there are":       {satisfied("0.9"), "write satisfaction as a number from 1 to 5 with at most one decimal"},
		"ratings finer than they are judged": {satisfied("4.25"), "write satisfaction as a number from 1 to 5"},
	}
}

func aiming(objectives v1alpha1.ObjectivesSpec) *v1alpha1.ServiceLevel {
	level := serviceLevel("standard")
	level.Spec.Objectives = &objectives
	return level
}
