//! Leads as they live under the example agreement until [`now`], by the real decisions: some wait to be
//! accepted, most are worked by field sales, a few stand still, a few became opportunities.

use leadpact::agreement::{Agreement, Input, Standing, decide};
use leadpact::record::change::Reading;
use leadpact::record::{
    Action, Actor, Change, ConnectionName, Effect, Elapsed, Fact, FieldName, Object, Outcome, OwnerId, RecordId,
    RecordKey, Timestamp, Value, What,
};

/// When it is: Monday, 15 March 2027, 11:00 in Boston.
pub fn now() -> Timestamp {
    Timestamp::from_millis(1_805_122_800_000)
}

/// Leads begin within so many days before that.
const DAYS: i64 = 40;
pub const OWNERS: u64 = 200;
/// Of these so many are of teleprospecting; the others are of field sales.
const TELE: u64 = 60;
pub const SOURCES: [&str; 6] = ["Marketing", "Web form", "Trade show", "Referral", "Cold call", "Partner"];
pub const CAMPAIGNS: u64 = 40;
const FIRST: [&str; 24] = [
    "Ada", "Zoë", "Jonas", "Mina", "Pavel", "Ruth", "Omar", "Lena", "Igor", "Nia", "Tom", "Ana", "Chen", "Eve", "Raj",
    "Ulla", "Max", "Ines", "Karl", "Sofia", "Ben", "Yuki", "Lars", "Olga",
];
const LAST: [&str; 25] = [
    "Lovelace", "Ünal", "Meyer", "Okafor", "Novak", "Silva", "Rossi", "Kim", "Patel", "Dubois", "Larsen", "Costa",
    "Ivanov", "Haddad", "Brown", "Tanaka", "Garcia", "Nguyen", "Schmidt", "Kowalski", "Janssen", "Moreau", "Khan",
    "Fischer", "Bianchi",
];

/// A number that follows from another, as if by chance.
pub fn chance(n: u64, salt: u64) -> u64 {
    let mut x = n.wrapping_add(salt.wrapping_mul(0x9E37_79B9_7F4A_7C15)).wrapping_add(0x9E37_79B9_7F4A_7C15);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

pub const CONNECTIONS: [&str; 3] = ["acme-hubspot", "acme-salesforce", "acme-other"];

/// The record that is the so many-th of all: six of ten are HubSpot's, three Salesforce's.
pub fn key(n: u64) -> RecordKey {
    let connection = match n % 10 {
        0..6 => 0,
        6..9 => 1,
        _ => 2,
    };
    let object = if chance(n, 1).is_multiple_of(40) { Object::Opportunity } else { Object::Lead };
    let id = match connection {
        0 => (70_000_000_000 + n * 7).to_string(),
        1 => {
            let prefix = if object == Object::Lead { "00Q" } else { "006" };
            leadpact::crm::salesforce::id::or_as_is(&format!("{prefix}5g{n:010}"))
        }
        _ => format!("lead-{n:08}"),
    };
    RecordKey { connection: ConnectionName::new(CONNECTIONS[connection]), object, id: RecordId::new(id) }
}

/// A few people have many, many have few.
pub fn owner(n: u64, field: bool) -> OwnerId {
    let (from, of) = if field { (TELE, OWNERS - TELE) } else { (0, TELE) };
    let (a, b) = (chance(n, 2) % of, chance(n, 3) % of);
    OwnerId::new(owner_id(from + a.min(b)))
}

pub fn owner_id(n: u64) -> String {
    format!("{}", 7000 + n)
}

pub fn name(n: u64) -> String {
    let (first, last) = (chance(n, 4) as usize % FIRST.len(), chance(n, 5) as usize % LAST.len());
    format!("{} {} {}", FIRST[first], LAST[last], chance(n, 6) % 5000)
}

/// What became of a lead so far.
pub struct Lived {
    pub standing: Standing,
    pub history: Vec<Change>,
    pub facts: Vec<Fact>,
    /// With how each ended; `None`: it waits.
    pub effects: Vec<(Effect, Option<Outcome>)>,
}

/// When the so many-th of all leads came.
pub fn began(n: u64, of: u64) -> Timestamp {
    let span = DAYS * 86_400_000;
    now() - Elapsed::from_millis(span - (span as i128 * i128::from(n) / i128::from(of.max(1))) as i64 + 60_000)
}

/// The so many-th of all leads, until now.
pub fn live(agreement: &Agreement, n: u64, of: u64) -> Lived {
    let lived = Lived { standing: Standing::new(key(n)), history: Vec::new(), facts: Vec::new(), effects: Vec::new() };
    let mut life = Life { agreement, lived, open: Vec::new() };
    let at = began(n, of);
    if life.lived.standing.key.object == Object::Opportunity {
        life.deal(n, at)
    } else {
        life.lead(n, at)
    }
    life.run_to(now());
    life.lived.effects.extend(life.open.into_iter().map(|effect| (effect, None)));
    life.lived
}

struct Life<'a> {
    agreement: &'a Agreement,
    lived: Lived,
    open: Vec<Effect>,
}

impl Life<'_> {
    fn deal(&mut self, n: u64, at: Timestamp) {
        let owner = owner(n, true);
        let values = [
            ("name", Value::text(name(n))),
            ("owner", Value::text(owner.as_str())),
            ("status", Value::text("open")),
            ("source", Value::text(SOURCES[chance(n, 7) as usize % SOURCES.len()])),
        ];
        self.does(at, &owner, &values);
    }

    fn lead(&mut self, n: u64, at: Timestamp) {
        let (tele, field) = (owner(n, false), owner(n, true));
        let (name, campaign) = (name(n), format!("Campaign {}", chance(n, 8) % CAMPAIGNS));
        let email = format!("{}@{}.example", name.to_lowercase().replace(' ', "."), chance(n, 9) % 9000);
        let values = [
            ("name", Value::text(name)),
            ("email", Value::text(email)),
            ("company", Value::text(format!("Company {}", chance(n, 9) % 9000))),
            ("source", Value::text(SOURCES[chance(n, 7) as usize % SOURCES.len()])),
            ("campaign", Value::text(campaign)),
            ("score", Value::Number((40 + chance(n, 10) % 60) as f64)),
            ("owner", Value::text(tele.as_str())),
            ("status", Value::text("Qualified by marketing")),
        ];
        self.does(at, &tele, &values);
        // Three of twenty wait to be accepted.
        if chance(n, 11) % 20 < 3 {
            return;
        }
        let mut at = at + Elapsed::from_secs((600 + chance(n, 12) % 40_000) as i64);
        self.does(at, &tele, &[("status", Value::text("Accepted"))]);
        at = at + Elapsed::from_secs((3_600 + chance(n, 13) % 100_000) as i64);
        let known = ["budget", "authority", "need", "timeframe"].map(|field| (field, Value::text("confirmed")));
        self.does(at, &tele, &known);
        let handed = [("status", Value::text("Qualified by teleprospecting")), ("owner", Value::text(field.as_str()))];
        self.does(at + Elapsed::from_secs(60), &tele, &handed);
        for touch in 1..=chance(n, 14) % 4 {
            at = at + Elapsed::from_secs((7_200 + chance(n, 15 + touch) % 200_000) as i64);
            self.does(at, &field, &[("touches", Value::Number(touch as f64))]);
        }
        if chance(n, 20).is_multiple_of(20) {
            self.does(at + Elapsed::from_secs(9_000), &field, &[("on_hold", Value::Bool(true))]);
        }
    }

    fn does(&mut self, at: Timestamp, who: &OwnerId, values: &[(&str, Value)]) {
        if at >= now() {
            return;
        }
        self.run_to(at);
        let values = values.iter().map(|(name, value)| (FieldName::new(name), value.clone())).collect();
        let change = Change { at, what: What::Fields(values), by: Actor::Person(who.clone()) };
        self.input(Input::Changed(change), at);
    }

    /// Everything that falls due before then.
    fn run_to(&mut self, to: Timestamp) {
        loop {
            let effect = self.open.iter().enumerate().map(|(at, e)| (e.not_before, at)).min();
            let wake = self.lived.standing.wake_at;
            let next = wake.into_iter().chain(effect.map(|(at, _)| at)).min();
            let Some(at) = next.filter(|at| *at < to) else { return };
            match effect.filter(|(moment, _)| *moment == at) {
                Some((_, which)) => {
                    let effect = self.open.remove(which);
                    self.end(effect, at + Elapsed::from_millis(200));
                }
                None => self.input(Input::Woke, at),
            }
        }
    }

    /// Notices go out, moves are left to people's decision; some of either are given up. The last connection
    /// only observes.
    fn end(&mut self, effect: Effect, at: Timestamp) {
        let n = chance(effect.key.as_str().bytes().fold(7, |a, b| chance(a, u64::from(b))), 1);
        let observes = self.lived.standing.key.connection.as_str() == CONNECTIONS[2];
        let outcome = match &effect.action {
            _ if observes => Outcome::WouldHave,
            _ if n.is_multiple_of(500) => Outcome::Parked { error: "the channel does not exist".to_owned() },
            Action::Recycle { .. } | Action::Nurture { .. } if n % 50 == 1 => {
                self.lived.effects.push((effect, None));
                return;
            }
            Action::Recycle { .. } | Action::Nurture { .. } | Action::Reassign { .. } => {
                Outcome::Dropped { reason: "somebody answered".to_owned() }
            }
            _ => Outcome::Done { at, since: at, values: Vec::new(), note: None },
        };
        self.lived.effects.push((effect.clone(), Some(outcome.clone())));
        match effect.action {
            Action::Read => self.read(at),
            Action::Annotate => {}
            _ => self.input(Input::Settled(effect, outcome), at),
        }
    }

    /// What the CRM shows is what it told before.
    fn read(&mut self, at: Timestamp) {
        let fields = &self.lived.standing.fields;
        let modified = fields.iter().map(|field| field.at).max().unwrap_or(at);
        let values = fields.iter().map(|field| (field.name, field.value.clone())).collect();
        let reading = Reading { modified, values, import: false, from_now: false };
        self.input(Input::Changed(Change { at, what: What::Read(reading), by: Actor::Unknown }), at);
    }

    fn input(&mut self, input: Input, at: Timestamp) {
        let empty = Standing::new(self.lived.standing.key.clone());
        let standing = std::mem::replace(&mut self.lived.standing, empty);
        let decided = decide(self.agreement, standing, input, at);
        self.open.retain(|effect| !decided.withdraw.contains(&effect.key));
        self.open.extend(decided.effects);
        self.lived.standing = decided.standing;
        self.lived.facts.extend(decided.facts);
        self.lived.history.extend(decided.history);
    }
}
