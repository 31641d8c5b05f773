//! A CRM in memory that answers as it is told.

use async_trait::async_trait;
use leadpact::crm::{
    Acknowledgement, Crm, CrmError, Event, Events, ItemResult, Limits, Malformed, NewTask, Page, Person, Position,
    RawDelivery, ReadRecord, Reads, Refusal, Says, Sought, Usage, VerifiedDelivery, Write,
};
use leadpact::engine::Clock;
use leadpact::record::change::FieldValues;
use leadpact::record::{Actor, Elapsed, FieldName, Object, RecordId, Timestamp, Value};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Mutex;
use tokio::sync::Notify;

/// How one whole call goes.
#[derive(Clone, Debug)]
pub enum Call {
    Fine,
    /// Nothing is done.
    Fails(CrmError),
    /// It is done, and the answer is lost.
    DoneBut(CrmError),
    /// Nothing is done and no answer comes.
    Hangs,
    /// It is done and no answer comes.
    DoneButHangs,
    /// It is done once the test lets it go on.
    Waits,
}

#[derive(Clone, Debug, Default)]
pub struct Record {
    pub values: BTreeMap<FieldName, Value>,
    pub modified: Timestamp,
}

/// What it holds, how it is to answer, and what it was asked.
#[derive(Default)]
pub struct State {
    pub records: BTreeMap<(Object, RecordId), Record>,
    /// For the next calls, in order; then all go fine.
    pub read_calls: VecDeque<Call>,
    pub write_calls: VecDeque<Call>,
    pub task_calls: VecDeque<Call>,
    /// For the next writes of that record; then all are done.
    pub items: HashMap<RecordId, VecDeque<ItemResult>>,
    /// Records that reads say nothing of.
    pub untold: BTreeSet<RecordId>,
    /// Calls with one of these are refused as a whole.
    pub poison: BTreeSet<RecordId>,
    /// Writes with one of these are.
    pub poison_writes: BTreeSet<RecordId>,
    pub people: Vec<Person>,
    pub people_fail: bool,
    /// Who its people are is never answered.
    pub people_hang: bool,
    pub unmapped: BTreeSet<FieldName>,
    /// Whether it can be asked what was modified.
    pub searchable: bool,
    pub search_calls: VecDeque<Call>,
    /// Since when, and from which place on, of each search for leads.
    pub searches: Vec<(Sought, usize)>,
    /// What edits set; empty where it keeps no history.
    pub past: Vec<(Object, RecordId, Timestamp, FieldValues)>,
    /// Whom it was asked for the history of.
    pub histories: Vec<RecordId>,
    /// Deletions and merges, which searches tell of.
    pub ended: Vec<Event>,
    pub usage: Option<Usage>,
    /// Every call is refused for its credentials, with these words.
    pub refuses: Option<&'static str>,
    /// Calls of any kind, refused ones included.
    pub called: usize,
    /// How far its clock is ahead of ours.
    pub ahead: Option<Elapsed>,
    /// How often the token was used for its own sake.
    pub exercised: usize,
    pub reads: Vec<Vec<RecordId>>,
    /// What writes left on records, and when.
    pub landed: Vec<(Timestamp, Object, RecordId, FieldValues)>,
    pub writes: Vec<Vec<Write>>,
    pub made: Vec<NewTask>,
    pub task_attempts: usize,
    pub asked_for_people: usize,
    /// Who it was told that people were when they were last read.
    pub recalled: Vec<Person>,
    /// Deliveries that were understood before it was told.
    pub hasty: usize,
    pub is_told: bool,
}

pub struct FakeCrm {
    pub state: Mutex<State>,
    clock: Clock,
    /// A write that waits was received.
    pub arrived: Notify,
    /// Lets it go on.
    pub go_on: Notify,
}

pub fn later(after: Option<u64>) -> CrmError {
    CrmError::Later { message: "busy".into(), after: after.map(std::time::Duration::from_secs) }
}

pub fn doubt() -> CrmError {
    CrmError::Doubt { message: "no answer in time".into() }
}

pub fn never() -> CrmError {
    CrmError::Never { message: "bad request".into() }
}

impl FakeCrm {
    pub fn new(clock: Clock) -> Self {
        Self { state: Mutex::default(), clock, arrived: Notify::new(), go_on: Notify::new() }
    }

    pub fn with<T>(&self, f: impl FnOnce(&mut State) -> T) -> T {
        f(&mut self.state.lock().unwrap())
    }

    /// Somebody changes a record in the CRM.
    pub fn edit(&self, object: Object, id: &str, at: Timestamp, values: &[(&str, Value)]) {
        self.with(|state| {
            let record = state.records.entry((object, RecordId::new(id))).or_default();
            record.modified = at;
            let values: FieldValues =
                values.iter().map(|(name, value)| (FieldName::new(name), value.clone())).collect();
            record.values.extend(values.clone());
            state.past.push((object, RecordId::new(id), at, values));
        });
    }

    pub fn value(&self, object: Object, id: &str, name: &str) -> Value {
        let key = (object, RecordId::new(id));
        self.with(|s| {
            s.records.get(&key).and_then(|r| r.values.get(&FieldName::new(name)).cloned()).unwrap_or_default()
        })
    }

    /// How often each record was written.
    pub fn times_written(&self) -> BTreeMap<String, usize> {
        let mut times = BTreeMap::new();
        for write in self.with(|s| s.writes.clone()).iter().flatten() {
            *times.entry(write.id.to_string()).or_default() += 1;
        }
        times
    }

    pub fn calls(&self) -> (usize, usize) {
        self.with(|s| (s.reads.len(), s.writes.len()))
    }

    fn item(&self, object: Object, write: &Write) -> ItemResult {
        let now = self.clock.now();
        self.with(|state| {
            if let Some(answer) = state.items.get_mut(&write.id).and_then(VecDeque::pop_front) {
                return answer;
            }
            match state.records.get_mut(&(object, write.id.clone())) {
                None => ItemResult::Gone { message: "deleted".into() },
                Some(record) => {
                    record.values.extend(write.values.iter().cloned());
                    record.modified = now;
                    state.landed.push((now, object, write.id.clone(), write.values.clone()));
                    ItemResult::Done { modified: now, note: None }
                }
            }
        })
    }

    /// Counts a call of any kind; refused when the credentials are.
    fn admitted(&self) -> Result<(), CrmError> {
        self.with(|s| {
            s.called += 1;
            s.refuses.map_or(Ok(()), |words| Err(CrmError::SignIn { message: words.to_owned() }))
        })
    }

    fn poisoned<'i>(&self, mut ids: impl Iterator<Item = &'i RecordId>) -> Result<(), CrmError> {
        if self.with(|s| ids.any(|id| s.poison.contains(id))) { Err(never()) } else { Ok(()) }
    }
}

async fn hang<T>() -> T {
    std::future::pending().await
}

#[async_trait]
impl Crm for FakeCrm {
    fn verify(&self, _: RawDelivery, _: Timestamp) -> Result<VerifiedDelivery, Refusal> {
        Err(Refusal("nothing is received here"))
    }

    fn events(&self, delivery: &VerifiedDelivery) -> Result<Events, Malformed> {
        let events: Vec<Event> =
            serde_json::from_slice(delivery.body()).map_err(|error| Malformed(error.to_string()))?;
        self.with(|s| s.hasty += usize::from(!s.is_told));
        Ok(Events { events, dropped: Vec::new() })
    }

    fn recall(&self, people: &[Person]) {
        self.with(|s| (s.recalled, s.is_told) = (people.to_vec(), true));
    }

    fn acknowledgement(&self) -> Acknowledgement {
        Acknowledgement { status: 204, content_type: None, body: "" }
    }

    fn limits(&self) -> Limits {
        Limits { read: 200, write: 200, tasks: 200 }
    }

    async fn read(&self, object: Object, ids: &[RecordId]) -> Result<Reads, CrmError> {
        self.admitted()?;
        let call = self.with(|s| {
            s.reads.push(ids.to_vec());
            s.read_calls.pop_front().unwrap_or(Call::Fine)
        });
        match call {
            Call::Fails(error) | Call::DoneBut(error) => return Err(error),
            Call::Hangs | Call::DoneButHangs => return hang().await,
            Call::Fine | Call::Waits => {}
        }
        self.poisoned(ids.iter())?;
        let found = self.with(|s| {
            let told = ids.iter().filter(|id| !s.untold.contains(*id));
            told.map(|id| {
                let record = s.records.get(&(object, id.clone()));
                let found = record.map_or(ReadRecord::Gone, |r| ReadRecord::Found {
                    modified: r.modified,
                    values: r.values.clone().into_iter().collect::<FieldValues>(),
                    unreadable: Vec::new(),
                });
                (id.clone(), found)
            })
            .collect()
        });
        Ok(Reads { at: self.clock.now(), records: found })
    }

    fn searches(&self) -> bool {
        self.with(|s| s.searchable)
    }

    /// Pages of 100 in the order of the times of modification.
    async fn search(&self, object: Object, sought: Sought, from: Option<&Position>) -> Result<Page, CrmError> {
        const PAGE: usize = 100;
        self.admitted()?;
        let from: usize = from.map_or(Ok(0), Position::place)?;
        let call = self.with(|s| {
            if object == Object::Lead {
                s.searches.push((sought, from));
            }
            s.search_calls.pop_front().unwrap_or(Call::Fine)
        });
        if let Call::Fails(error) = call {
            return Err(error);
        }
        let is_sought = |at: Timestamp| match sought {
            Sought::Since(since) => at >= since,
            Sought::Open => true,
        };
        self.with(|s| {
            let of = s.records.iter().filter(|((of, _), r)| *of == object && is_sought(r.modified));
            let mut found: Vec<_> = of.map(|((_, id), r)| (r.modified, id.clone())).collect();
            found.sort();
            let total = found.len();
            let found: Vec<RecordId> = found.into_iter().skip(from).take(PAGE).map(|(_, id)| id).collect();
            let ended = s.ended.iter().filter(|e| sought != Sought::Open && e.object == object && is_sought(e.at));
            let next = (from + PAGE < total).then(|| Position::of(&(from + PAGE)).unwrap());
            Ok(Page { at: self.clock.now(), found, ended: ended.cloned().collect(), total: Some(total as u64), next })
        })
    }

    async fn histories(&self, object: Object, asked: &[(RecordId, Timestamp)]) -> Result<Vec<Event>, CrmError> {
        self.admitted()?;
        self.with(|s| {
            s.histories.extend(asked.iter().map(|(id, _)| id.clone()));
            let is_asked = |of: Object, id: &RecordId, at: Timestamp| {
                of == object && asked.iter().any(|(asked, since)| asked == id && at >= *since)
            };
            let past = s.past.iter().filter(|(of, id, at, _)| is_asked(*of, id, *at));
            let event = |(object, id, at, values): &(Object, RecordId, Timestamp, FieldValues)| Event {
                object: *object,
                id: id.clone(),
                at: *at,
                by: Actor::Unknown,
                says: Says::Changed(values.clone()),
            };
            Ok(past.map(event).collect())
        })
    }

    fn usage(&self) -> Option<Usage> {
        self.with(|s| s.usage)
    }

    fn ahead(&self) -> Option<Elapsed> {
        self.with(|s| s.ahead)
    }

    async fn keep_signed_in(&self) -> Result<(), CrmError> {
        self.admitted()?;
        self.with(|s| s.exercised += 1);
        Ok(())
    }

    async fn write(&self, object: Object, writes: &[Write]) -> Result<Vec<ItemResult>, CrmError> {
        self.admitted()?;
        let call = self.with(|s| {
            s.writes.push(writes.to_vec());
            s.write_calls.pop_front().unwrap_or(Call::Fine)
        });
        self.poisoned(writes.iter().map(|w| &w.id))?;
        if writes.iter().any(|w| self.with(|s| s.poison_writes.contains(&w.id))) {
            return Err(never());
        }
        match call {
            Call::Fails(error) => return Err(error),
            Call::Hangs => return hang().await,
            Call::Waits => {
                self.arrived.notify_one();
                self.go_on.notified().await;
            }
            Call::Fine | Call::DoneBut(_) | Call::DoneButHangs => {}
        }
        let results = writes.iter().map(|w| self.item(object, w)).collect();
        match call {
            Call::DoneBut(error) => Err(error),
            Call::DoneButHangs => hang().await,
            _ => Ok(results),
        }
    }

    async fn create_tasks(&self, tasks: &[NewTask]) -> Result<Vec<ItemResult>, CrmError> {
        self.admitted()?;
        let call = self.with(|s| {
            s.task_attempts += 1;
            s.task_calls.pop_front().unwrap_or(Call::Fine)
        });
        if let Call::Fails(error) = call {
            return Err(error);
        }
        let now = self.clock.now() + Elapsed::from_millis(1);
        self.with(|s| s.made.extend(tasks.iter().cloned()));
        let made = |task: &NewTask| ItemResult::Done { modified: now, note: Some(format!("task of {}", task.record)) };
        match call {
            Call::DoneBut(error) => Err(error),
            Call::Hangs | Call::DoneButHangs => hang().await,
            _ => Ok(tasks.iter().map(made).collect()),
        }
    }

    async fn find_tasks(&self, tasks: &[NewTask]) -> Result<Vec<Option<String>>, CrmError> {
        self.admitted()?;
        let made = self.with(|s| s.made.clone());
        let id = |task: &NewTask| made.iter().find(|m| m.key == task.key).map(|m| format!("task of {}", m.record));
        Ok(tasks.iter().map(id).collect())
    }

    async fn people(&self) -> Result<Vec<Person>, CrmError> {
        self.admitted()?;
        if self.with(|s| s.people_hang) {
            std::future::pending::<()>().await;
        }
        self.with(|s| {
            s.asked_for_people += 1;
            if s.people_fail { Err(later(None)) } else { Ok(s.people.clone()) }
        })
    }

    fn record_url(&self, object: Object, id: &RecordId) -> Option<String> {
        Some(format!("https://crm.example/{object}/{id}"))
    }

    fn maps(&self, _: Object, field: FieldName) -> bool {
        self.with(|s| !s.unmapped.contains(&field))
    }
}
