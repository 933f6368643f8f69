package store

import (
	"time"

	"github.com/google/uuid"

	"github.com/yingda-dev/yingda/internal/store/db"
)

// Survey is what desks see of how a customer was served; the payload of FrameRating.
type Survey struct {
	Conversation uuid.UUID `json:"conversation"`
	Channel      string    `json:"channel"`
	Customer     string    `json:"customer"`
	SkillGroup   string    `json:"skillGroup"`
	// Agent is who ended the conversation's service.
	Agent string `json:"agent"`
	// Scale is FiveStars or ThreeLevels.
	Scale   string    `json:"scale"`
	AskedAt time.Time `json:"askedAt"`
	// Rating, the more the better, is missing while the customer has not answered.
	Rating  *int32     `json:"rating,omitempty"`
	RatedAt *time.Time `json:"ratedAt,omitempty"`
	// Poor says that somebody should look at it.
	Poor bool `json:"poor,omitempty"`
}

// SurveyView returns what desks see of a row.
func SurveyView(s db.Survey) Survey {
	return Survey{
		Conversation: s.ConversationID, Channel: s.Channel, Customer: s.ExternalID, SkillGroup: s.SkillGroup, Agent: s.Agent,
		Scale: s.Scale, AskedAt: s.AskedAt, Rating: s.Rating, RatedAt: s.RatedAt, Poor: s.Poor,
	}
}
