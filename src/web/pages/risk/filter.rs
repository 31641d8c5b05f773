//! What a list of open clocks is asked for: the fields of its form, which stand in the address, and
//! what they mean to the store.

use crate::agreement::span::{after, parse_span};
use crate::engine::Engine;
use crate::record::{ConnectionName, OwnerId, PartyName, Timestamp};
use crate::store::StoreError;
use crate::store::clock::{After, ClockRow, ClockState, Filter, Shown, list};
use serde::Deserialize;
use url::form_urlencoded::Serializer;

/// The lengths that "due within" offers, with their names.
pub const WITHIN: [(&str, &str); 4] =
    [("1bh", "1 business hour"), ("4bh", "4 business hours"), ("1bd", "1 business day"), ("5bd", "5 business days")];

/// The states that can be looked for.
pub const STATES: [(&str, &str); 4] =
    [("open", "open"), ("paused", "paused"), ("breached", "breached"), ("held", "held by the breaker")];

/// The form as it is sent; what is empty asks for nothing.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    pub connection: String,
    #[serde(default)]
    pub party: String,
    #[serde(default)]
    pub owner: String,
    #[serde(default)]
    pub clock: String,
    #[serde(default)]
    pub state: String,
    #[serde(default)]
    pub due: String,
    pub after: Option<String>,
    pub limit: Option<u32>,
}

impl Asked {
    fn fields(&self) -> [(&'static str, &str); 6] {
        [
            ("connection", &self.connection),
            ("party", &self.party),
            ("owner", &self.owner),
            ("clock", &self.clock),
            ("state", &self.state),
            ("due", &self.due),
        ]
    }

    /// Whether anything is asked for.
    pub fn is_any(&self) -> bool {
        self.fields().iter().any(|(_, value)| !value.is_empty())
    }

    /// The address of this list from a place in it on.
    pub fn address(&self, path: &str, after: Option<&str>) -> String {
        let mut query = Serializer::new(String::new());
        query.extend_pairs(self.fields().into_iter().filter(|(_, value)| !value.is_empty()));
        query.extend_pairs(after.map(|after| ("after", after)));
        let query = query.finish();
        if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
    }

    /// What nobody offers is refused with a sentence.
    ///
    /// # Errors
    /// A sentence for whoever asked.
    pub fn check(&self, engine: &Engine) -> Result<(), String> {
        // PostgreSQL takes no such text, and nothing has it.
        if self.fields().iter().any(|(_, value)| value.contains('\0')) {
            return Err("A filter holds a character that no text has.".to_owned());
        }
        if !self.connection.is_empty() && engine.site(&self.connection).is_none() {
            return Err(format!("No connection is called {}.", self.connection));
        }
        if !self.state.is_empty() && !STATES.iter().any(|(state, _)| *state == self.state) {
            return Err(format!("{} is no state of a clock: open, paused, breached or held.", self.state));
        }
        if !self.due.is_empty() && parse_span(&self.due).is_err() {
            return Err(format!("{} is no length of time: write it as 1bd, 4bh or 2d.", self.due));
        }
        Ok(())
    }

    fn filter(&self) -> Filter {
        let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Filter {
            party: given(&self.party).map(PartyName::new),
            owner: given(&self.owner).map(OwnerId::new),
            clock: given(&self.clock),
            state: match self.state.as_str() {
                "open" => Some(Shown::In(ClockState::Open)),
                "paused" => Some(Shown::In(ClockState::Paused)),
                "breached" => Some(Shown::In(ClockState::Breached)),
                "held" => Some(Shown::Held),
                _ => None,
            },
            from: None,
            until: None,
        }
    }
}

/// The open clocks that are asked for, soonest first; "due within" counts on each agreement's calendar.
///
/// # Errors
/// When the database cannot be read.
pub async fn rows(
    engine: &Engine,
    asked: &Asked,
    place: Option<&After>,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<ClockRow>, StoreError> {
    let sites = engine.sites();
    let wanted = sites.iter().filter(|s| asked.connection.is_empty() || s.name().as_str() == asked.connection);
    let filter = asked.filter();
    let Ok(within) = parse_span(&asked.due) else {
        let names: Vec<ConnectionName> = wanted.map(|site| site.name().clone()).collect();
        return list(&engine.db, &names, &filter, place, limit).await;
    };
    let mut found = Vec::new();
    for site in wanted {
        let calendar = site.agreement.calendar.map(|i| &site.agreement.calendars[i].calendar);
        let filter = Filter { from: Some(now), until: Some(after(calendar, now, within)), ..filter.clone() };
        found.extend(list(&engine.db, std::slice::from_ref(site.name()), &filter, place, limit).await?);
    }
    found.sort_by(|a, b| a.deadline.cmp(&b.deadline).then_with(|| a.record.connection.cmp(&b.record.connection)));
    found.truncate(limit as usize);
    Ok(found)
}
