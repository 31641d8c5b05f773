//! Failures on order, and the log of calls that tests assert on. What a fault looks like on the wire
//! is each API's own business (`hubspot_api.rs`, `salesforce_api.rs`).

use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// 429, with `Retry-After` in seconds where given. Nothing is done.
    TooManyRequests {
        #[serde(default)]
        retry_after: Option<u64>,
    },
    /// 500 with the CRM's error body. Nothing is done.
    ServerError,
    /// 502 with HTML, as from a proxy. Nothing is done.
    BadGateway,
    /// The token is not accepted. Nothing is done.
    Unauthorized,
    /// Nothing is done, and 503 comes only after so long.
    Hang { seconds: f64 },
    /// Done, but answered only after so long.
    Slow { seconds: f64 },
    /// Done at once, and answered so late that the caller has given up.
    ApplyThenHang { seconds: f64 },
    /// Done at once, and answered with 502.
    ApplyThenFail,
    /// These records are refused; the others of the call are done.
    Refuse { ids: Vec<String> },
    /// These records are locked for the moment; the others of the call are done.
    Lock { ids: Vec<String> },
}

/// A fault for some calls of a kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    /// A kind of call such as `hubspot.batch_update`; `hubspot.*` or `*` for more.
    pub on: String,
    pub fault: Fault,
    /// So many calls; all when missing.
    #[serde(default)]
    pub times: Option<u32>,
    /// So many calls of the kind go well before.
    #[serde(default)]
    pub after: u32,
}

impl FaultRule {
    /// The next call of that kind fails.
    pub fn once(on: &str, fault: Fault) -> Self {
        Self { on: on.to_owned(), fault, times: Some(1), after: 0 }
    }

    /// All calls of that kind fail.
    pub fn always(on: &str, fault: Fault) -> Self {
        Self { on: on.to_owned(), fault, times: None, after: 0 }
    }

    fn concerns(&self, kind: &str) -> bool {
        self.on == kind || self.on.strip_suffix('*').is_some_and(|start| kind.starts_with(start))
    }
}

/// A call as it came, and the status it was answered with.
#[derive(Clone, Debug, Serialize)]
pub struct RecordedCall {
    pub kind: &'static str,
    pub method: String,
    /// With the query.
    pub path: String,
    /// Names in lower case; without the token.
    pub headers: Vec<(String, String)>,
    pub body: String,
    /// `None` as long as no answer was given.
    pub status: Option<u16>,
    /// The answer's body; empty unless answers are kept.
    pub answer: String,
}

impl RecordedCall {
    /// The body as JSON; null where it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }
}

/// The faults in force and all calls so far.
#[derive(Default)]
pub struct Faults {
    rules: Mutex<Vec<FaultRule>>,
    calls: Mutex<Vec<RecordedCall>>,
    /// Answers are kept too; a demo that runs for days would only fill the memory with them.
    keeps_answers: AtomicBool,
}

impl Faults {
    fn rules(&self) -> MutexGuard<'_, Vec<FaultRule>> {
        self.rules.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn log(&self) -> MutexGuard<'_, Vec<RecordedCall>> {
        self.calls.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    pub fn add(&self, rule: FaultRule) {
        self.rules().push(rule);
    }

    pub fn clear(&self) {
        self.rules().clear();
    }

    pub fn in_force(&self) -> Vec<FaultRule> {
        self.rules().clone()
    }

    /// The fault that hits this call, by the first rule for its kind.
    pub fn take(&self, kind: &str) -> Option<Fault> {
        let mut rules = self.rules();
        let index = rules.iter().position(|rule| rule.concerns(kind))?;
        let rule = &mut rules[index];
        if rule.after > 0 {
            rule.after -= 1;
            return None;
        }
        let fault = rule.fault.clone();
        if let Some(times) = &mut rule.times {
            *times = times.saturating_sub(1);
            if *times == 0 {
                rules.remove(index);
            }
        }
        Some(fault)
    }

    /// Keeps a call and returns its number.
    pub fn record(&self, call: RecordedCall) -> usize {
        let mut calls = self.log();
        calls.push(call);
        calls.len() - 1
    }

    /// Answers are kept from now on.
    pub fn keep_answers(&self) {
        self.keeps_answers.store(true, Ordering::Relaxed);
    }

    pub fn answered(&self, number: usize, status: u16, body: &[u8]) {
        if let Some(call) = self.log().get_mut(number) {
            call.status = Some(status);
            if self.keeps_answers.load(Ordering::Relaxed) {
                call.answer = String::from_utf8_lossy(body).into_owned();
            }
        }
    }

    /// All calls of a kind, in order; kinds as in [`FaultRule::on`].
    pub fn calls(&self, kind: &str) -> Vec<RecordedCall> {
        let asked = FaultRule::always(kind, Fault::ServerError);
        self.log().iter().filter(|call| asked.concerns(call.kind)).cloned().collect()
    }

    pub fn forget_calls(&self) {
        self.log().clear();
    }
}

/// Seconds of an order as a length; nonsense is none.
pub fn length(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_hits_so_many_calls_of_its_kind_and_no_other() {
        let faults = Faults::default();
        faults.add(FaultRule { on: "hubspot.*".into(), fault: Fault::ServerError, times: Some(2), after: 1 });
        assert_eq!(faults.take("salesforce.query"), None);
        let hits: Vec<bool> = (0..4).map(|_| faults.take("hubspot.search").is_some()).collect();
        assert_eq!(hits, [false, true, true, false]);
    }

    #[test]
    fn faults_are_ordered_as_json() {
        let rule: FaultRule =
            serde_json::from_str(r#"{"on":"hubspot.batch_update","times":1,"fault":{"do":"hang","seconds":2}}"#)
                .unwrap();
        assert_eq!(rule.fault, Fault::Hang { seconds: 2.0 });
        assert!(serde_json::from_str::<FaultRule>(r#"{"on":"*","fault":{"do":"explode"}}"#).is_err());
    }
}
