//! The agreement's own life with a clock that is set: a version becomes active at its moment, the
//! teams are told of it, and the signatories are reminded of its review.

use crate::channels::Channels;
use crate::world::{Store, World, acme, agreement, agreement_text, minute};
use leadpact::agreement::Agreement;
use leadpact::agreement::model::Signatory;
use leadpact::app::{Agreements, App};
use leadpact::crm::connection::Roster;
use leadpact::engine::switches::Acts;
use leadpact::engine::{Clock, inform, renewal};
use leadpact::notify::{Notifiers, NotifyError, Templates};
use leadpact::record::{Elapsed, FactKind, Timestamp};
use leadpact::settings::{self, Environment};
use leadpact::store::receipt::{self, Receipt};
use leadpact::store::signature::{self, Signature};
use leadpact::store::{Db, Priority, cursor, journal};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const PARTIES: [&str; 2] = ["teleprospecting", "field_sales"];

/// Both parties sign it, and it is to be reviewed by the end of June.
fn to_be_signed() -> Agreement {
    let mut agreement = agreement("", "");
    agreement.review_by = Some("2027-06-30".parse().unwrap());
    for party in &mut agreement.parties {
        let email = format!("{}@acme.example", party.name.as_str());
        party.signs = Some(Signatory { name: format!("Chief of {}", party.name), title: "Chief".into(), email });
    }
    agreement
}

async fn add_signature(db: &Db, party: &str, hash: &str) {
    let signature = Signature {
        agreement: hash.to_owned(),
        party: party.into(),
        name: format!("Chief of {party}"),
        title: "Chief".into(),
        on_behalf_of: None,
        entered_by: "root".into(),
        signed_at: minute(0),
    };
    let mut tx = db.begin(Priority::Work).await.unwrap();
    signature::add(&mut tx, &signature).await.unwrap();
    tx.commit().await.unwrap();
}

/// Active, and signed by these.
async fn active(store: Store, signed_by: &[&str]) -> World {
    let world = World::over(store.db.clone(), to_be_signed(), "first").await;
    let mut world = world;
    world.keep(store);
    let hash = world.site.agreement.hash.clone();
    for party in signed_by {
        add_signature(&world.engine.db, party, &hash).await;
    }
    let mut tx = world.engine.db.begin(Priority::Work).await.unwrap();
    cursor::set(&mut tx, &acme(), inform::ACTIVE, &hash).await.unwrap();
    tx.commit().await.unwrap();
    world
}

async fn tell(world: &World) {
    inform::step(&world.engine, &world.site, &world.lease, &CancellationToken::new()).await.unwrap();
}

async fn remind(world: &World) {
    renewal::step(&world.engine, &world.site, &world.lease, &CancellationToken::new()).await.unwrap();
}

async fn receipts(world: &World) -> Vec<Receipt> {
    receipt::of(&world.engine.db, &acme(), &world.site.agreement.hash).await.unwrap()
}

fn sorted(channels: &Channels) -> Vec<String> {
    let mut places = channels.places();
    places.sort();
    places
}

promise!(everybody_is_told_once_and_the_journal_says_so, |store| {
    let world = active(store, &PARTIES).await;
    for _ in 0..3 {
        tell(&world).await;
    }
    assert_eq!(sorted(&world.channels), ["@kim@acme.example", "@pat@acme.example", "@sam@acme.example"]);
    let says = &world.channels.sent()[0].1;
    assert!(says.text.contains("Chief of field_sales, Chief, for field sales"), "{}", says.text);
    let rows = journal::recent(&world.engine.db, &acme(), 0, 100).await.unwrap();
    let told: Vec<_> =
        rows.iter().map(|r| (r.entry.fact.kind, &*r.entry.fact.item, r.entry.record.is_none())).collect();
    assert_eq!(told.len(), 3);
    assert!(told.contains(&(FactKind::Informed, "80", true)), "{told:?}");
    assert!(rows.iter().all(|r| r.entry.agreement == *world.site.agreement.hash));
});

promise!(a_version_that_one_party_did_not_sign_is_not_sent_around, |store| {
    let world = active(store, &PARTIES[..1]).await;
    tell(&world).await;
    assert!(world.channels.places().is_empty() && receipts(&world).await.is_empty());
});

promise!(a_signed_version_that_is_not_active_is_not_sent_around, |store| {
    let world = active(store, &PARTIES).await;
    let mut tx = world.engine.db.begin(Priority::Work).await.unwrap();
    cursor::set(&mut tx, &acme(), inform::ACTIVE, "another").await.unwrap();
    tx.commit().await.unwrap();
    tell(&world).await;
    assert!(world.channels.places().is_empty());
});

promise!(who_only_observes_tells_nobody_of_the_agreement, |store| {
    let mut world = active(store, &PARTIES).await;
    world.site.acts = Acts::Never;
    tell(&world).await;
    world.at(60 * 24 * 365);
    remind(&world).await;
    assert!(world.channels.places().is_empty() && receipts(&world).await.is_empty());
});

promise!(a_channel_that_is_down_is_tried_again_and_nobody_there_is_given_up, |store| {
    let world = active(store, &PARTIES).await;
    world.channels.answer("@kim@acme.example", NotifyError::Later { message: "down".into(), after: None });
    for place in ["@sam@acme.example", "sam@acme.example"] {
        world.channels.answer(place, NotifyError::Nobody { message: "no such person".into() });
    }
    tell(&world).await;
    tell(&world).await;
    assert_eq!(sorted(&world.channels), ["@pat@acme.example"]);
    world.at(2);
    tell(&world).await;
    assert_eq!(sorted(&world.channels), ["@kim@acme.example", "@pat@acme.example"]);
    let all = receipts(&world).await;
    let sam = all.iter().find(|r| r.person.as_str() == "70").unwrap();
    assert_eq!((sam.next_at, sam.informed_at, sam.how.as_deref()), (None, None, Some("no such person")));
});

promise!(who_was_to_be_told_before_a_crash_is_told_after_it, |store| {
    let mut world = active(store, &PARTIES).await;
    let over = CancellationToken::new();
    over.cancel();
    inform::step(&world.engine, &world.site, &world.lease, &over).await.unwrap();
    assert_eq!((receipts(&world).await.len(), world.channels.tried()), (3, 0));
    world.crash().await;
    tell(&world).await;
    assert_eq!(world.channels.places().len(), 3);
});

promise!(only_members_are_told_where_every_receiving_party_lists_them, |store| {
    let mut world = active(store, &PARTIES).await;
    world.crm.with(|s| {
        s.people.push(crate::world::person("90", Some("eve@acme.example"), None, true));
        s.people[1].active = false;
    });
    let members = Roster::Members(vec!["pat@acme.example".into()]);
    world.site.connection.parties.insert("field_sales".into(), members);
    tell(&world).await;
    assert_eq!(sorted(&world.channels), ["@pat@acme.example", "@sam@acme.example"]);
});

promise!(nobody_is_woken_for_a_version_that_begins_at_midnight, |store| {
    let mut world = active(store, &PARTIES).await;
    let text = agreement_text("", "").replace("mon-sun = [\"00:00-24:00\"]", "mon-fri = [\"13:00-18:00\"]");
    let none = |file: &str| Err(format!("{file} is not here"));
    let parsed = leadpact::agreement::parse::parse("a", &text, &none).unwrap().agreement;
    let mut agreement = to_be_signed();
    agreement.calendars = parsed.calendars;
    world.site.agreement = std::sync::Arc::new(agreement);
    tell(&world).await;
    assert!(world.channels.places().is_empty());
    assert_eq!(receipts(&world).await[0].next_at, Some(minute(60)));
    world.at(60);
    tell(&world).await;
    assert_eq!(world.channels.places().len(), 3);
});

const CHIEFS: [&str; 2] = ["field_sales@acme.example", "teleprospecting@acme.example"];

promise!(after_the_review_day_both_signatories_are_reminded_every_week, |store| {
    let world = active(store, &PARTIES).await;
    let over = Timestamp::parse("2027-07-01T00:00:00Z").unwrap();
    let day = Elapsed::from_secs(86_400);
    let moments = [(over - Elapsed::from_millis(1), 0), (over, 1), (over + day, 1)];
    let week = Elapsed::from_secs(7 * 86_400);
    for (at, times) in moments.into_iter().chain([(over + week - day, 1), (over + week, 2), (over + week + week, 3)]) {
        world.clock.set(at);
        remind(&world).await;
        let expected: Vec<&str> = CHIEFS.iter().flat_map(|chief| vec![*chief; times]).collect();
        assert_eq!(sorted(&world.channels), expected, "{at}");
    }
    assert!(world.channels.sent()[0].1.text.contains("2027-06-30"));
});

promise!(a_reminder_that_could_not_be_sent_is_sent_later, |store| {
    let world = active(store, &PARTIES).await;
    world.clock.set(Timestamp::parse("2027-07-01T00:00:00Z").unwrap());
    world.channels.answer(CHIEFS[0], NotifyError::Later { message: "down".into(), after: None });
    for _ in 0..3 {
        remind(&world).await;
    }
    assert_eq!(sorted(&world.channels), CHIEFS);
});

/// A daemon on one connection, with these texts as its file before and after it starts.
struct House {
    app: App,
    folder: tempfile::TempDir,
    clock: Clock,
}

impl House {
    async fn start(store: &Store, text: &str, clock: Clock) -> Self {
        Self::start_with(store, text, clock, true).await
    }

    async fn start_with(store: &Store, text: &str, clock: Clock, require_signatures: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = format!(
            "require_signatures = {require_signatures}\n[store]\nurl = \"{}\"\n\n[[connection]]\nname = \"acme\"\ncrm = \"generic\"\nmode = \"enforce\"\n\
             verify = {{ scheme = \"standard-webhooks\", secret = [\"whsec_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0\"] }}\n",
            store.url
        );
        std::fs::write(folder.path().join("leadpact.toml"), config).unwrap();
        std::fs::write(folder.path().join("agreement.toml"), text).unwrap();
        let environment: Environment = std::iter::empty::<(String, String)>().collect();
        let read = settings::load(&folder.path().join("leadpact.toml"), &environment);
        let (settings, _) = read.unwrap_or_else(|report| panic!("{}", report.render(false)));
        let Ok((agreements, _)) = Agreements::read(&settings) else { panic!("the agreement is sound") };
        let notifiers = Notifiers::of(Templates::load(None).unwrap(), vec![Box::new(Channels::default())]);
        let app = App::build_with(&settings, agreements, clock.clone(), notifiers).await.unwrap();
        app.start();
        Self { app, folder, clock }
    }

    async fn rewrite(&self, text: &str) {
        std::fs::write(self.folder.path().join("agreement.toml"), text).unwrap();
        self.app.reread_agreements();
        tokio::time::sleep(Duration::from_millis(300)).await;
    }

    fn version(&self) -> (String, bool) {
        let site = self.app.engine.site("acme").unwrap();
        (site.agreement.version.clone(), site.acts == Acts::Always)
    }

    async fn until(&self, version: &str, acts: bool) {
        for _ in 0..100 {
            if self.version() == (version.to_owned(), acts) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{:?} goes on", self.version());
    }

    async fn facts(&self) -> Vec<(FactKind, String)> {
        let rows = journal::recent(&self.app.engine.db, &acme(), 0, 100).await.unwrap();
        rows.into_iter().map(|r| (r.entry.fact.kind, r.entry.agreement)).collect()
    }
}

fn text(version: &str, effective: &str) -> String {
    let text = agreement_text("", "").replace("version   = \"1\"", &format!("version = \"{version}\""));
    text.replace("2027-01-01", effective)
}

fn hash(text: &str) -> String {
    let parsed = leadpact::agreement::parse::parse("a", text, &|_: &str| Err(String::new()));
    parsed.unwrap_or_else(|report| panic!("{}", report.render(false))).agreement.hash.to_string()
}

promise!(a_version_takes_over_at_midnight_of_its_effective_day_and_wakes_the_same_ingest, |store| {
    let (old, next) = (text("old", "2027-01-01"), text("next", "2027-01-06"));
    let house = House::start(&store, &old, Clock::manual(minute(0))).await;
    assert_eq!(house.version(), ("old".to_owned(), true));
    let before = house.app.engine.site("acme").unwrap();
    house.rewrite(&next).await;
    let midnight = Timestamp::parse("2027-01-06T00:00:00Z").unwrap();
    house.clock.set(midnight - Elapsed::from_millis(1));
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert_eq!(house.version(), ("old".to_owned(), true));
    house.clock.set(midnight);
    house.until("next", true).await;
    assert!(std::sync::Arc::ptr_eq(&before.stirred, &house.app.engine.site("acme").unwrap().stirred));
    let (old, next) = (hash(&old), hash(&next));
    use FactKind::{Activated, Offered};
    let expected = [(Offered, old.clone()), (Activated, old), (Offered, next.clone()), (Activated, next)];
    assert_eq!(house.facts().await, expected);
    house.app.stop().await;
});

promise!(what_acted_unsigned_only_observes_once_signatures_are_asked_for, |store| {
    let mut text = text("1", "2027-01-01");
    for party in PARTIES {
        let signs = "signs = { name = \"Lee\", title = \"VP\", email = \"lee@acme.example\" }";
        text = text.replace(&format!("[parties.{party}]\n"), &format!("[parties.{party}]\n{signs}\n"));
    }
    let lifted = House::start_with(&store, &text, Clock::manual(minute(0)), false).await;
    assert_eq!(lifted.version(), ("1".to_owned(), true));
    let house = House::start(&store, &text, Clock::manual(minute(1))).await;
    assert_eq!(house.version(), ("1".to_owned(), false));
    for party in PARTIES {
        assert_eq!(house.version(), ("1".to_owned(), false));
        add_signature(&store.db, party, &hash(&text)).await;
    }
    house.until("1", true).await;
    lifted.app.stop().await;
    house.app.stop().await;
});

promise!(a_draft_before_its_effective_day_only_observes, |store| {
    let house = House::start(&store, &text("first", "2027-01-06"), Clock::manual(minute(0))).await;
    assert_eq!(house.version(), ("first".to_owned(), false));
    house.clock.set(Timestamp::parse("2027-01-06T00:00:00Z").unwrap());
    house.until("first", true).await;
    house.app.stop().await;
});

promise!(a_replica_on_an_old_file_changes_nothing, |store| {
    let (old, next) = (text("old", "2027-01-01"), text("next", "2027-01-01"));
    let first = House::start(&store, &old, Clock::manual(minute(0))).await;
    let second = House::start(&store, &next, Clock::manual(minute(1))).await;
    assert_eq!(second.version(), ("next".to_owned(), true));
    first.until("next", true).await;
    let third = House::start(&store, &old, Clock::manual(minute(2))).await;
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    for house in [&first, &second, &third] {
        assert_eq!(house.version(), ("next".to_owned(), true));
    }
    let activated = first.facts().await.into_iter().filter(|(kind, _)| *kind == FactKind::Activated);
    assert_eq!(activated.map(|(_, hash)| hash).collect::<Vec<_>>(), [hash(&old), hash(&next)]);
    for house in [first, second, third] {
        house.app.stop().await;
    }
});
