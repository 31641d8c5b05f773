//! How long people take. All lengths are minutes of open time.

use rand::Rng;
use rand::rngs::StdRng;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Habit {
    /// Answers within the hour.
    Quick,
    /// Answers, but often too late.
    Slow,
    /// Seems to be there, but answers nothing.
    Asleep,
}

/// Which kind of work it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Marketing looks at a responder.
    Qualify,
    /// Somebody takes what lies in a queue or with nobody.
    PickUp,
    /// Teleprospecting accepts or rejects.
    Answer,
    /// Teleprospecting asks for budget, authority, need and timeframe.
    AskFor,
    /// Field sales calls for the first time.
    FirstCall,
    /// Field sales calls again.
    NextCall,
}

impl Habit {
    /// `None`: never.
    pub fn minutes(self, work: Work, rng: &mut StdRng) -> Option<f64> {
        let usual = match work {
            Work::Qualify => 5.0..25.0,
            Work::PickUp => 15.0..60.0,
            Work::Answer => 10.0..50.0,
            Work::AskFor => 30.0..150.0,
            Work::FirstCall => 20.0..120.0,
            Work::NextCall => 60.0..300.0,
        };
        let minutes = rng.random_range(usual);
        match self {
            Habit::Quick => Some(minutes),
            // About half of it comes after four hours.
            Habit::Slow => Some(minutes + rng.random_range(60.0..360.0)),
            Habit::Asleep => None,
        }
    }
}
