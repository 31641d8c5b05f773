//! A fictional half year: leads in three time zones, holidays, a re-organisation and a changed
//! agreement in the middle, played through apply, wake and deliver. What is measured over it is
//! recomputed from the raw changes in `recount`.

mod floor;

use crate::world::{Store, World, acme, person, site};
use floor::{Cell, Edit, FIELD, Floor, TELE};
use leadpact::agreement::Agreement;
use leadpact::agreement::parse::parse;
use leadpact::crm::{Event, Says};
use leadpact::record::{Actor, Elapsed, FieldName, FieldType, Object, OwnerId, RecordId, Timestamp, Value};
use leadpact::store::{outbox, standing};
use std::collections::BTreeMap;
use std::io::Write as _;

const FIRST: &str = include_str!("first.toml");
const SECOND: &str = include_str!("second.toml");

fn read(text: &str) -> Agreement {
    let none = |file: &str| Err(format!("{file} is not here"));
    parse("agreement.toml", text, &none).unwrap_or_else(|report| panic!("{}", report.render(false))).agreement
}

fn moment(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

/// What happened in it, with the database that leadpact kept meanwhile.
pub struct HalfYear {
    pub world: World,
    /// Every change of the CRM, leadpact's own included, in order.
    pub edits: Vec<Edit>,
}

impl HalfYear {
    /// Plays it. Moments within one `tick` are looked at together.
    pub async fn play(store: Store, seed: u64, leads: usize, tick: Elapsed) -> Self {
        let (from, until) = (moment("2027-01-04T05:00:00Z"), moment("2027-07-05T04:00:00Z"));
        let mut world = World::over(store.db.clone(), read(FIRST), "first").await;
        world.keep(store);
        world.crm.with(|s| {
            let people = TELE.iter().chain(&FIELD);
            s.people = people.map(|id| person(id, Some(&format!("p{id}@acme.example")), None, true)).collect();
        });
        let mut played = Self { world, edits: Vec::new() };
        let mut floor = Floor::new(seed, leads, from, until);
        let mut news =
            vec![(moment("2027-04-01T04:00:00Z"), News::Agreement), (moment("2027-05-12T15:00:00Z"), News::People)];
        news.reverse();
        let mut now = from;
        played.world.clock.set(now);
        while let Some(next) = played.next(&floor, &news).await.filter(|next| *next < until) {
            now = (now + tick).max(next);
            played.world.clock.set(now);
            while news.last().is_some_and(|(at, _)| *at <= now) {
                let (at, what) = news.pop().unwrap();
                played.hear(what, at, &mut floor).await;
            }
            let mut edits = Vec::new();
            while floor.next().is_some_and(|at| at <= now) {
                let Some(edit) = floor.act() else { continue };
                let deal = floor.deal_of(&edit);
                edits.push(edit);
                edits.extend(deal);
            }
            played.change(edits).await;
            played.world.settle().await;
            played.see_moves(&mut floor);
        }
        played.world.clock.set(until);
        played.world.settle().await;
        played.see_moves(&mut floor);
        played
    }

    async fn next(&self, floor: &Floor, news: &[(Timestamp, News)]) -> Option<Timestamp> {
        let db = &self.world.engine.db;
        let wake = standing::earliest_wake(db, &acme()).await.unwrap();
        let effect = outbox::earliest(db, &acme()).await.unwrap();
        [floor.next(), wake, effect, news.last().map(|(at, _)| *at)].into_iter().flatten().min()
    }

    async fn hear(&mut self, what: News, at: Timestamp, floor: &mut Floor) {
        match what {
            News::Agreement => self.world.site = site(read(SECOND), self.world.crm.clone()),
            News::People => {
                let edits = floor.reorganise(at, "83", "81");
                self.change(edits).await;
            }
        }
    }

    /// The same changes in the CRM and told by it.
    async fn change(&mut self, edits: Vec<Edit>) {
        let events: Vec<Event> = edits.iter().map(|edit| self.event(edit)).collect();
        for some in events.chunks(100) {
            self.world.receive(some).await;
        }
        for (edit, event) in edits.iter().zip(&events) {
            let Says::Changed(values) = &event.says else { continue };
            let values: Vec<(&str, Value)> =
                values.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
            self.world.crm.edit(event.object, &edit.id, event.at, &values);
        }
        self.edits.extend(edits);
    }

    fn event(&self, edit: &Edit) -> Event {
        let object = Object::parse(edit.object).unwrap();
        let dictionary = &self.world.site.agreement.dictionary;
        let value = |name: &str, cell: &Cell| match (cell, dictionary.type_of(object, FieldName::new(name))) {
            (Cell::Text(text), Some(FieldType::Date)) => FieldType::Date.read(text).unwrap(),
            (Cell::Text(text), _) => Value::text(text),
            (Cell::Number(number), _) => Value::Number(*number),
            (Cell::Flag(flag), _) => Value::Bool(*flag),
            (Cell::Nothing, _) => Value::Null,
        };
        let values = edit.values.iter().map(|(name, cell)| (FieldName::new(name), value(name, cell))).collect();
        let by = if edit.by == "form" { Actor::Automation } else { Actor::Person(OwnerId::new(&edit.by)) };
        let at = Timestamp::from_millis(edit.at);
        Event { object, id: RecordId::new(&edit.id), at, by, says: Says::Changed(values) }
    }

    /// leadpact's own writes, as the CRM has them.
    fn see_moves(&mut self, floor: &mut Floor) {
        for (at, object, id, values) in self.world.crm.with(|s| std::mem::take(&mut s.landed)) {
            let find = |name: &str| values.iter().find(|(n, _)| n.as_str() == name).map(|(_, value)| value);
            let text = |name: &str| find(name).and_then(Value::as_text);
            let moves = find("owner").is_some() || find("status").is_some();
            if moves {
                floor.moved(at, id.as_str(), text("owner"), text("status"));
            }
            let told = values.iter().filter(|(name, _)| matches!(name.as_str(), "owner" | "status"));
            let values: BTreeMap<&'static str, Cell> = told.map(|(n, v)| (n.as_str(), cell(v))).collect();
            if !values.is_empty() {
                let (object, by) = (object.as_str(), "leadpact".to_owned());
                self.edits.push(Edit { at: at.as_millis(), object, id: id.to_string(), by, values });
            }
        }
    }

    /// For whoever wants to recompute it elsewhere.
    pub fn write_raw(&self, path: &std::path::Path) {
        let mut file = std::io::BufWriter::new(std::fs::File::create(path).unwrap());
        for edit in &self.edits {
            writeln!(file, "{}", serde_json::to_string(edit).unwrap()).unwrap();
        }
    }
}

fn cell(value: &Value) -> Cell {
    match value {
        Value::Text(text) => Cell::Text(text.to_string()),
        Value::Number(number) => Cell::Number(*number),
        Value::Bool(flag) => Cell::Flag(*flag),
        _ => Cell::Nothing,
    }
}

enum News {
    /// The second agreement comes into force.
    Agreement,
    /// A salesperson's leads go to another.
    People,
}

/// `LEADPACT_HALF_YEAR=folder` writes the raw changes and the database there, with
/// `LEADPACT_HALF_YEAR_LEADS` leads.
#[tokio::test]
#[ignore = "takes minutes; for recomputing the measures by other means"]
async fn a_half_year_to_recompute() {
    let folder = std::path::PathBuf::from(std::env::var("LEADPACT_HALF_YEAR").expect("a folder"));
    let leads = std::env::var("LEADPACT_HALF_YEAR_LEADS").ok().and_then(|n| n.parse().ok()).unwrap_or(600);
    let url = format!("sqlite://{}", folder.join("half-year.db").display());
    let store = Store::at(&url).await;
    let played = HalfYear::play(store, 7, leads, Elapsed::from_secs(3_600)).await;
    played.write_raw(&folder.join("raw.jsonl"));
    std::fs::write(folder.join("first.toml"), FIRST).unwrap();
    std::fs::write(folder.join("second.toml"), SECOND).unwrap();
}
