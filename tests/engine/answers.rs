//! Answers from Slack and e-mail: what a notice offers, who may answer, and what an answer does.

use crate::world::{Store, World, acme, agreement_with, lead, minute, person, site, text};
use leadpact::agreement::Agreement;
use leadpact::engine::answers::{self, Answering, Became, Choice, Refused, Said, Taken, mark, preferences};
use leadpact::engine::switches::{Acts, turn};
use leadpact::notify::NotifyError;
use leadpact::record::{Actor, FactKind, Object};
use leadpact::store::Priority;
use leadpact::store::journal;
use leadpact::store::preference::{Channel, Gathering, Preference, Quiet};
use leadpact::store::switch::{Switch, SwitchRow};
use serde_json::Value as Json;
use std::sync::Arc;

const FREELY: &str = "quiet = true\nstop_above = { count = 100000, share_of_open = 1.0, share_of_owner = 1.0 }";
const STEPS: &str = r#"{ at = "50%", notify = ["owner"] }, { at = "-10m", notify = ["owner", "manager"] },
    { at = "due", notify = ["owner"] }, { at = "+60m", recycle = true }"#;
const ANSWERS: &str = r#"
accept = { set = { status = "Working" } }
snooze = "15m"
reject = { stage = "rejected", reason = "reject_reason", allowed = ["duplicate", "student"] }
"#;
const REJECTED: &str = "
[[stage]]
name  = \"rejected\"
term  = \"Rejected lead\"
means = \"Returned unworked.\"
of    = \"lead\"
when  = 'status == \"Rejected\"'
ends  = \"rejected\"
";

fn terms() -> Agreement {
    agreement_with(STEPS, ANSWERS, FREELY, REJECTED)
}

/// A lead of 80's, handed over at noon and reminded of at half past.
async fn reminded(store: Store) -> World {
    let mut world = about_to_remind(store).await;
    world.settle().await;
    world
}

async fn about_to_remind(store: Store) -> World {
    let mut world = World::with(store, terms()).await;
    let base = "https://leadpact.example".to_owned();
    world.engine.answering = Some(Answering { public_base: base, in_slack: true });
    world.engine.add(vec![Arc::new(site(terms(), world.crm.clone()))]);
    world.crm.with(|s| s.people[2] = person("80", Some("pat@acme.example"), Some("70"), true));
    world.hand_over(&["001".to_owned()]).await;
    world.at(30);
    world
}

/// The buttons of the last message.
fn buttons(world: &World) -> Vec<Json> {
    let sent = world.channels.sent();
    let blocks = sent.last().expect("a message").1.blocks.clone();
    let actions = blocks.as_array().unwrap().iter().find(|b| b["type"] == "actions").cloned();
    actions.map(|a| a["elements"].as_array().unwrap().clone()).unwrap_or_default()
}

fn word(world: &World) -> String {
    buttons(world).iter().find_map(|b| b["value"].as_str().map(str::to_owned)).expect("a button")
}

/// The link of that label in the last message's text.
fn link(world: &World, label: &str) -> String {
    let text = world.channels.sent().last().expect("a message").1.text.clone();
    let line = text.lines().find(|l| l.starts_with(&format!("{label}: "))).unwrap_or_else(|| panic!("{label}: {text}"));
    line.rsplit_once('/').expect("a link").1.to_owned()
}

async fn click(world: &World, word: &str, choice: Choice, email: &str, delivery: &str) -> Result<Taken, Refused> {
    let shown = answers::look(&world.engine, word).await?;
    answers::take(&world.engine, &shown, &choice, Said { email, via: "Slack", delivery }).await
}

fn seen(world: &World, name: &str) -> String {
    world.crm.value(Object::Lead, "001", name).as_text().unwrap_or_default().to_owned()
}

fn writes(world: &World) -> usize {
    world.crm.with(|s| s.writes.len())
}

promise!(accepting_is_written_once_by_whoever_clicks_twice_and_meets_the_clock, |store| {
    let mut world = reminded(store).await;
    let word = word(&world);
    let before = writes(&world);
    world.at(31);
    click(&world, &word, Choice::Accept, "PAT@acme.example", "one").await.unwrap();
    let first = click(&world, &word, Choice::Accept, "pat@acme.example", "one").await.unwrap();
    // Twice before it is applied: the same delivery, and another click.
    click(&world, &word, Choice::Accept, "pat@acme.example", "one").await.unwrap();
    click(&world, &word, Choice::Accept, "pat@acme.example", "two").await.unwrap();
    world.settle().await;
    assert_eq!(seen(&world, "status"), "Working");
    assert_eq!(writes(&world) - before, 1);
    let facts = leadpact::store::journal::of_record(&world.engine.db, &lead("001")).await.unwrap();
    let facts: Vec<_> = facts.into_iter().map(|row| row.entry.fact).collect();
    let met: Vec<_> = facts.iter().filter(|f| f.kind == FactKind::Met && &*f.source == "Follow up").collect();
    assert_eq!((met.len(), &met[0].by), (1, &Actor::Person("80".into())));
    assert_eq!(facts.iter().filter(|f| f.kind == FactKind::Replied).count(), 1);
    let told = world.crm.with(|s| s.made.iter().map(|t| (t.title.clone(), t.done)).collect::<Vec<_>>());
    assert_eq!(told, [("Accepted by Person 80 via Slack".to_owned(), true)]);
    // Pressed a second time, and slower than it was applied: what stands is told, to whoever said it.
    let again = click(&world, &word, Choice::Accept, "pat@acme.example", "again").await.unwrap();
    assert_eq!((&again.id, &again.words), (&first.id, &first.words));
    let other = click(&world, &word, Choice::Accept, "sam@acme.example", "other").await;
    assert!(matches!(other, Err(Refused::Overtaken(_))), "{other:?}");
    assert_eq!(world.count("001", FactKind::Replied).await, 1);
    // The old button explains itself.
    let late = click(&world, &word, Choice::OnIt, "pat@acme.example", "three").await.unwrap_err();
    assert!(matches!(&late, Refused::Overtaken(why) if why.contains("ended on Tuesday")), "{late}");
});

promise!(rejecting_writes_the_agreed_reason_with_the_status, |store| {
    let mut world = reminded(store).await;
    let reasons = buttons(&world).into_iter().find(|b| b["type"] == "static_select").expect("a select");
    assert_eq!(reasons["options"][1]["text"]["text"], "student");
    let word = word(&world);
    world.at(31);
    let unknown = click(&world, &word, Choice::Reject(mark("too far")), "pat@acme.example", "a").await;
    assert!(matches!(unknown, Err(Refused::Overtaken(_))));
    click(&world, &word, Choice::Reject(mark("student")), "pat@acme.example", "b").await.unwrap();
    world.settle().await;
    assert_eq!((seen(&world, "status").as_str(), seen(&world, "reject_reason").as_str()), ("Rejected", "student"));
    assert_eq!((world.count("001", FactKind::Rejected).await, world.count("001", FactKind::Met).await), (1, 1));
    assert_eq!(world.count("001", FactKind::ViolationOpened).await, 0);
});

promise!(only_owner_party_and_manager_may_answer, |store| {
    let world = reminded(store).await;
    let word = word(&world);
    for (stranger, delivery) in [("kim@acme.example", "a"), ("eve@evil.example", "b"), ("", "c")] {
        let refused = click(&world, &word, Choice::Accept, stranger, delivery).await.unwrap_err();
        assert!(matches!(&refused, Refused::NotYours(why) if why.contains("Person 80's")), "{stranger}: {refused}");
    }
    // The owner's manager by the CRM, and the party's by the agreement.
    for (manager, delivery) in [("sam@acme.example", "d"), ("manager@acme.example", "e")] {
        click(&world, &word, Choice::OnIt, manager, delivery).await.unwrap();
    }
    for forged in ["", ".", "acme", "acme.x", "other.x", &"a".repeat(5000)] {
        assert!(matches!(answers::look(&world.engine, forged).await, Err(Refused::Unknown)), "{forged}");
    }
});

promise!(an_answer_given_to_the_former_owner_does_nothing, |store| {
    let mut world = reminded(store).await;
    let word = word(&world);
    world.at(31);
    click(&world, &word, Choice::Accept, "pat@acme.example", "a").await.unwrap();
    // It changes hands in the CRM before the answer is written.
    world.crm.edit(Object::Lead, "001", minute(31), &[("owner", text("71"))]);
    world.settle().await;
    assert_eq!((seen(&world, "status").as_str(), world.count("001", FactKind::Dropped).await), ("TQL", 1));
});

promise!(whoever_is_on_it_is_spared_once_and_the_clock_runs_on, |store| {
    let mut world = reminded(store).await;
    let word = word(&world);
    world.at(40);
    click(&world, &word, Choice::OnIt, "pat@acme.example", "a").await.unwrap();
    world.settle().await;
    world.at(121);
    world.settle().await;
    assert_eq!((world.count("001", FactKind::Breached).await, world.count("001", FactKind::Met).await), (1, 0));
    assert_eq!(world.count("001", FactKind::Recycled).await, 0);
    assert!(matches!(click(&world, &word, Choice::OnIt, "pat@acme.example", "b").await, Err(Refused::Overtaken(_))));
    // `spare` is four hours from the word on.
    world.at(40 + 241);
    world.settle().await;
    assert_eq!(world.count("001", FactKind::Recycled).await, 1);
    let late = click(&world, &word, Choice::Accept, "pat@acme.example", "c").await.unwrap_err();
    assert!(matches!(&late, Refused::Overtaken(why) if why.contains("went back on Tuesday, 5 January 2027")), "{late}");
});

promise!(a_snooze_puts_the_owners_next_notice_off_once_and_nobody_elses, |store| {
    let mut world = reminded(store).await;
    let word = word(&world);
    world.at(31);
    click(&world, &word, Choice::Snooze, "pat@acme.example", "a").await.unwrap();
    world.settle().await;
    assert!(matches!(click(&world, &word, Choice::Snooze, "pat@acme.example", "b").await, Err(Refused::Overtaken(_))));
    let sent = world.channels.places().len();
    world.at(51);
    world.settle().await;
    // The manager is told at 12:50; the owner would be at 13:05, after the deadline, which speaks for itself.
    assert_eq!(world.channels.places()[sent..], ["@sam@acme.example"]);
    world.at(60);
    world.settle().await;
    assert_eq!(world.channels.places()[sent..], ["@sam@acme.example", "@pat@acme.example"]);
    world.at(70);
    world.settle().await;
    assert_eq!(world.channels.places().len(), sent + 2);
});

promise!(a_link_is_its_addressees_works_once_and_ends_after_a_week, |store| {
    let world = reminded(store).await;
    let (accept, on_it) = (link(&world, "Accept"), link(&world, "I'm on it"));
    let shown = answers::look(&world.engine, &on_it).await.unwrap();
    assert_eq!(shown.ticket.email, "pat@acme.example");
    let said = Said { email: &shown.ticket.email, via: "e-mail", delivery: &shown.word.hash() };
    // A link gives its own answer and no other.
    assert!(matches!(answers::take(&world.engine, &shown, &Choice::Accept, said).await, Err(Refused::Unknown)));
    for _ in 0..3 {
        let purpose = leadpact::store::answer::Purpose::Link;
        assert!(answers::open(&world.engine, &shown, purpose).await.is_ok(), "looking burns nothing");
    }
    answers::take(&world.engine, &shown, &Choice::OnIt, said).await.unwrap();
    assert!(matches!(answers::take(&world.engine, &shown, &Choice::OnIt, said).await, Err(Refused::Used)));
    // Whoever comes back learns what came of it.
    assert_eq!(answers::said_by(&world.engine, &shown).await.unwrap(), None);
    world.turn().await;
    let (words, became) = answers::said_by(&world.engine, &shown).await.unwrap().expect("applied");
    assert!(words.ends_with(": Person 80 is on it, said via e-mail") && became == Became::Done, "{words}");
    // Forwarded, it still speaks for its addressee, who has the lead no more.
    world.change("001", minute(35), &[("owner", text("71"))]).await;
    world.at(36);
    world.turn().await;
    let forwarded = answers::look(&world.engine, &accept).await.unwrap();
    let said = Said { email: &forwarded.ticket.email, via: "e-mail", delivery: "forwarded" };
    assert!(matches!(answers::take(&world.engine, &forwarded, &Choice::Accept, said).await, Err(Refused::NotYours(_))));
    world.at(30 + 7 * 24 * 60 + 1);
    assert!(matches!(answers::take(&world.engine, &forwarded, &Choice::Accept, said).await, Err(Refused::Expired)));
});

promise!(links_of_one_person_are_shown_to_nobody_who_is_told_in_their_place, |store| {
    let mut world = about_to_remind(store).await;
    for place in ["@pat@acme.example", "pat@acme.example"] {
        world.channels.answer(place, NotifyError::Nobody { message: "no such member".into() });
    }
    world.settle().await;
    let (place, message) = world.channels.sent().pop().expect("a message");
    assert_eq!(place, "#field-sales");
    let all = format!("{}{}{}", message.text, message.html, message.blocks);
    assert!(!all.contains("/answer/") && !all.contains("/preferences/"), "{all}");
    // Slack says who presses a button, and whether they may is looked at then.
    let word = word(&world);
    assert!(matches!(click(&world, &word, Choice::Accept, "kim@acme.example", "a").await, Err(Refused::NotYours(_))));
});

async fn pause(world: &World, on: bool) {
    let (by, why, at) = ("Dana".to_owned(), "a test".to_owned(), world.clock.now());
    let row = SwitchRow { connection: Some(acme()), switch: Switch::Paused, on, until: None, by, why, at };
    let mut tx = world.engine.db.begin(Priority::Work).await.unwrap();
    turn(&mut tx, &row, &[], "").await.unwrap();
    tx.commit().await.unwrap();
}

promise!(whoever_answers_during_a_pause_is_told_that_it_waits_and_it_is_written_afterwards, |store| {
    let mut world = reminded(store).await;
    let (word, before) = (word(&world), writes(&world));
    pause(&world, true).await;
    world.at(31);
    let taken = click(&world, &word, Choice::Accept, "pat@acme.example", "a").await.unwrap();
    assert!(taken.waits.as_ref().is_some_and(|why| why.contains("paused by Dana")), "{taken:?}");
    world.settle().await;
    assert_eq!(writes(&world), before);
    assert_eq!(answers::became(&world.engine.db, &taken).await.unwrap(), Became::Pending);
    pause(&world, false).await;
    world.settle().await;
    assert_eq!((writes(&world), seen(&world, "status").as_str()), (before + 1, "Working"));
    assert_eq!(answers::became(&world.engine.db, &taken).await.unwrap(), Became::Done);
});

promise!(where_nothing_is_written_any_more_no_answer_is_taken_and_no_link_is_used_up, |store| {
    let world = reminded(store).await;
    let accept = link(&world, "Accept");
    let mut observing = site(terms(), world.crm.clone());
    observing.acts = Acts::Never;
    world.engine.replace(Arc::new(observing));
    let shown = answers::look(&world.engine, &accept).await.unwrap();
    let said = Said { email: &shown.ticket.email, via: "e-mail", delivery: &shown.word.hash() };
    let refused = answers::take(&world.engine, &shown, &Choice::Accept, said).await.unwrap_err();
    assert!(matches!(&refused, Refused::NotHere(why) if why.contains("only observes")), "{refused}");
    assert_eq!(answers::look(&world.engine, &accept).await.unwrap().ticket.used_at, None);
    world.turn().await;
    assert_eq!(world.count("001", FactKind::Replied).await + world.count("001", FactKind::Dropped).await, 0);
});

async fn prefer(world: &World, channel: Channel, gathering: Gathering, quiet: Option<Quiet>) {
    let row = Preference { owner: "80".into(), channel, gathering, quiet, by: "Pat".into(), at: minute(0) };
    let chain = (acme(), world.site.agreement.hash.to_string());
    preferences::set(&world.engine.db, &chain, &row, ("Pat", "Dana"), world.clock.now()).await.unwrap();
}

promise!(whoever_changes_how_somebody_is_told_stands_in_the_journal, |store| {
    let world = World::with(store, terms()).await;
    prefer(&world, Channel::Both, Gathering::Hourly, Quiet::new(22 * 60, 7 * 60)).await;
    // The same again changes nothing.
    prefer(&world, Channel::Both, Gathering::Hourly, Quiet::new(22 * 60, 7 * 60)).await;
    prefer(&world, Channel::Email, Gathering::Single, None).await;
    let rows = journal::recent(&world.engine.db, &acme(), 0, 100).await.unwrap();
    let told = rows.iter().map(|row| &row.entry.fact).filter(|fact| fact.kind == FactKind::Setting);
    let told: Vec<String> =
        told.map(|f| format!("{} by {}: {}", f.item, f.detail["by"], f.detail["to"]).replace('"', "")).collect();
    let first =
        "preference by Dana: Pat is told in Slack and by e-mail, gathered every full hour, quiet from 22:00 to 07:00";
    assert_eq!(told, [first, "preference by Dana: Pat is told by e-mail, each notice by itself"]);
});

promise!(people_are_told_where_and_when_they_prefer_and_never_too_late, |store| {
    let mut world = World::with(store, terms()).await;
    prefer(&world, Channel::Both, Gathering::Single, Quiet::new(12 * 60, 12 * 60 + 45)).await;
    world.hand_over(&["001".to_owned()]).await;
    world.at(30);
    world.settle().await;
    assert!(world.channels.places().is_empty(), "quiet until 12:45");
    world.at(45);
    world.settle().await;
    assert_eq!(world.channels.places(), ["@pat@acme.example", "pat@acme.example"]);
    // Quiet beyond the deadline suppresses nothing.
    prefer(&world, Channel::Email, Gathering::Daily, Quiet::new(0, 23 * 60)).await;
    world.at(50);
    world.settle().await;
    world.at(60);
    world.settle().await;
    let places = world.channels.places();
    assert_eq!(places.iter().filter(|p| *p == "pat@acme.example").count(), 3, "{places:?}");
});

promise!(a_digest_is_one_message, |store| {
    let mut world = World::with(store, terms()).await;
    prefer(&world, Channel::Slack, Gathering::Hourly, None).await;
    world.at(15);
    world.hand_over(&["001".to_owned(), "002".to_owned()]).await;
    world.at(46);
    world.settle().await;
    assert!(world.channels.places().is_empty());
    world.at(60);
    world.settle().await;
    assert_eq!(world.channels.places(), ["@pat@acme.example"]);
    assert!(world.channels.sent()[0].1.subject.starts_with("2 leads"));
});

#[test]
fn what_answers_write_follows_from_the_stages_unless_the_agreement_says_otherwise() {
    let shipped = include_str!("../../config/agreement.toml");
    let of = |text: &str| {
        let none = |_: &str| Err("no files".to_owned());
        leadpact::agreement::parse::parse("agreement.toml", text, &none).map(|parsed| parsed.agreement)
    };
    let sets = |written: &leadpact::agreement::model::Written| {
        written.set.iter().map(|(n, v)| format!("{n}={v}")).collect::<Vec<_>>().join(" ")
    };
    let reference = of(shipped).unwrap();
    let told: Vec<_> =
        reference.handoffs.iter().map(|h| (sets(&h.accept), sets(&h.reject.as_ref().unwrap().writes))).collect();
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    assert_eq!(told, [pair("status=Accepted", "status=Rejected"), pair("status=Working", "status=Rejected")]);
    let at = "at         = \"mql\"\n";
    let none = of(&shipped.replace(at, &format!("{at}accept = {{ set = {{}} }}\n"))).unwrap();
    assert!(none.handoffs[0].accept.set.is_empty() && none.hash != reference.hash);
    for (set, says) in [("Acepted", "did you mean `Accepted`?"), ("Rejected", "accepts nothing")] {
        let wrong = of(&shipped.replace(at, &format!("{at}accept = {{ set = {{ status = \"{set}\" }} }}\n")));
        let report = wrong.unwrap_err().render(false);
        assert!(report.contains(says), "{report}");
    }
}
