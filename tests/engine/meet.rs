//! How both sides meet: disputes climb, promises are attested, reviews go out, the journal's hash is
//! mailed. Offices are open from nine to five, in UTC; noon is that of Tuesday 2027-01-05.

use crate::world::{World, acme, agreement_between, changed, lead, minute, text};
use leadpact::agreement::Agreement;
use leadpact::engine::attestation::attest;
use leadpact::engine::dispute::{DisputeError, Ruling, decide, disputable, open};
use leadpact::engine::meetings::Meetings;
use leadpact::notify::NotifyError;
use leadpact::record::{FactKind, Timestamp};
use leadpact::store::attestation::{self, AttestationRow};
use leadpact::store::dispute::{self, DisputeRow, DisputeState};
use leadpact::store::journal::{self, JournalRow};
use leadpact::store::letter::{self, LetterState, Outcome};
use leadpact::store::{Priority, cursor};

const BEFORE: &str = r#"calendar = "office""#;

const BEHIND: &str = r##"
[calendars.office]
time_zone = "UTC"
hours     = { mon-fri = ["09:00-17:00"] }
holidays  = [2027-01-18]

[parties.marketing]
notify = ["slack:#marketing"]

[[commitment]]
by      = "marketing"
to      = "field_sales"
name    = "Briefing published"
measure = { attested = "monthly" }
target  = "yes"
period  = "month"
credit  = "One more next month."

[[commitment]]
by      = "field_sales"
to      = "marketing"
name    = "Follow-ups on time"
measure = { on_time = "Follow up" }
target  = ">= 95%"
period  = "week"
credit  = "Lunch is on sales."

[[review]]
name    = "Weekly lead review"
every   = "week"
on      = "Mon"
time    = "09:00"
holiday = "next open day"
send_to = ["slack:#sales-marketing", "email:dana@acme.example"]
topics  = ["Leads at risk", "Targets <for> next week"]
"##;

const STEPS: &str = r##"
[[resolution]]
within = "4 business hours"
who    = ["owner", "party"]

[[resolution]]
within = "1 business day"
who    = ["manager"]

[[resolution]]
within = "2h"
who    = ["email:dana@acme.example", "slack:#sales-marketing"]
"##;

fn agreed() -> Agreement {
    agreement_between("", BEFORE, &format!("{BEHIND}{STEPS}"))
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

/// A lead that nobody followed up in time, a minute after its deadline.
async fn breached(store: &crate::world::Store, agreement: Agreement) -> World {
    let mut world = World::over(store.db.clone(), agreement, "first").await;
    world.hand_over(&["0".to_owned()]).await;
    world.at(61);
    world.settle().await;
    assert_eq!(world.count("0", FactKind::Breached).await, 1);
    world
}

async fn disputed(world: &World) -> Result<DisputeRow, DisputeError> {
    let rows = journal::of_record(&world.engine.db, &lead("0")).await.unwrap();
    let facts = disputable(&rows);
    assert_eq!(facts.len(), 1, "only the breach");
    let words = ("Ann Bee", "It had no <phone> number.");
    open(&world.engine.db, &world.site.agreement, &lead("0"), facts[0], words, world.clock.now()).await
}

async fn meet(world: &World, meetings: &mut Meetings) {
    while meetings.step(&world.engine, &world.site, &world.lease).await.unwrap() > 0 {}
}

async fn state(world: &World, id: &str) -> DisputeRow {
    dispute::find(&world.engine.db, id).await.unwrap().unwrap()
}

async fn of_kind(world: &World, kind: FactKind) -> Vec<JournalRow> {
    let rows = journal::recent(&world.engine.db, &acme(), 0, 1_000).await.unwrap();
    rows.into_iter().filter(|row| row.entry.fact.kind == kind).collect()
}

promise!(a_dispute_is_told_at_once_climbs_at_each_deadline_and_stays_open_when_no_step_is_left, |store| {
    let world = breached(&store, agreed()).await;
    let mut meetings = Meetings::default();
    let row = disputed(&world).await.unwrap();
    assert_eq!(row.step_due, Some(at("2027-01-06T09:01:00Z")), "four open hours on");
    meet(&world, &mut meetings).await;
    meet(&world, &mut Meetings::default()).await;
    let sent = world.channels.sent();
    assert_eq!(world.channels.places(), ["@pat@acme.example", "#field-sales"], "each of the step once");
    for says in ["Zoë Ünal", "Breached: Follow up", "It had no <phone> number.", &row.id, "2027-01-06 09:01 UTC"] {
        assert!(sent[0].1.text.contains(says), "{says}: {}", sent[0].1.text);
    }
    assert!(!sent[0].1.html.contains("<phone>"));

    world.clock.set(at("2027-01-06T09:00:59Z"));
    meet(&world, &mut meetings).await;
    assert_eq!(state(&world, &row.id).await.step, 1, "not before its deadline");
    world.clock.set(at("2027-01-06T09:01:00Z"));
    meet(&world, &mut meetings).await;
    assert_eq!(world.channels.places()[2..], ["manager@acme.example"]);
    assert_eq!(state(&world, &row.id).await.step_due, Some(at("2027-01-07T09:01:00Z")));

    // Nobody worked for a day: the next step still gets all of its time.
    world.clock.set(at("2027-01-08T12:00:00Z"));
    meet(&world, &mut meetings).await;
    assert_eq!(world.channels.places()[3..], ["dana@acme.example", "#sales-marketing"]);
    assert_eq!(state(&world, &row.id).await.step_due, Some(at("2027-01-08T14:00:00Z")));
    world.clock.set(at("2027-01-08T14:00:00Z"));
    meet(&world, &mut meetings).await;
    let last = state(&world, &row.id).await;
    assert_eq!((last.state, last.step_due), (DisputeState::Exhausted, None));
    assert_eq!(world.channels.places().len(), 5);
    let climbed = of_kind(&world, FactKind::Climbed).await;
    assert_eq!(climbed.len(), 3);
    let fact = &climbed[0].entry.fact;
    assert_eq!((&*fact.item, &*fact.source), (row.id.as_str(), "Follow up"));
    assert_eq!(fact.detail["fact"], row.fact_key.as_str());
    assert_eq!(fact.detail["at"], minute(60).as_millis());
    assert_eq!(climbed[0].entry.record, Some(lead("0")));

    let ruled =
        decide(&world.engine.db, &world.site.agreement, &last, Ruling::Upheld, ("Dana", "true"), world.clock.now());
    assert_eq!(ruled.await.unwrap().state, DisputeState::Upheld, "an exhausted one can still be decided");
});

promise!(a_ruling_is_journalled_once_and_ends_the_climb, |store| {
    let world = breached(&store, agreed()).await;
    let row = disputed(&world).await.unwrap();
    let again = disputed(&world).await.unwrap_err().to_string();
    assert!(again.contains("disputed already"), "{again}");
    let (db, agreement) = (&world.engine.db, &world.site.agreement);
    let rule = |ruling, by, why| decide(db, agreement, &row, ruling, (by, why), minute(62));
    assert!(rule(Ruling::Upheld, "Dana", " ").await.is_err(), "a decision has a reason");
    let is = rule(Ruling::Upheld, "Dana", "The number was missing.").await.unwrap();
    let late = rule(Ruling::Dismissed, "Lee", "no").await.unwrap_err().to_string();
    assert!(late.contains("moved on"), "{late}");
    assert!(decide(db, agreement, &is, Ruling::Dismissed, ("Lee", "no"), minute(63)).await.is_err());
    let upheld = of_kind(&world, FactKind::Upheld).await;
    assert_eq!((upheld.len(), of_kind(&world, FactKind::Dismissed).await.len()), (1, 0));
    assert_eq!(upheld[0].entry.fact.detail["by"], "Dana");
    world.clock.set(at("2027-02-01T12:00:00Z"));
    meet(&world, &mut Meetings::default()).await;
    assert!(of_kind(&world, FactKind::Climbed).await.is_empty());
    let why = disputed(&world).await.unwrap_err().to_string();
    assert!(why.contains("upheld already, by Dana"), "{why}");
    assert!(journal::verify(db, &acme()).await.unwrap().first_bad.is_none());
});

promise!(a_dispute_ends_by_itself_when_a_late_change_takes_the_fact_back, |store| {
    let mut world = breached(&store, agreed()).await;
    let row = disputed(&world).await.unwrap();
    let mut meetings = Meetings::default();
    meet(&world, &mut meetings).await;
    world.receive(&[changed("0", minute(30), &[("status", text("Working"))])]).await;
    world.settle().await;
    assert_eq!(world.count("0", FactKind::Withdrawn).await, 1);
    meet(&world, &mut meetings).await;
    let is = state(&world, &row.id).await;
    assert_eq!((is.state, is.decided_by.as_deref()), (DisputeState::Withdrawn, Some("leadpact")));
    let ended = of_kind(&world, FactKind::DisputeWithdrawn).await;
    assert_eq!(ended.len(), 1);
    assert!(ended[0].entry.fact.detail["why"].as_str().unwrap().contains("took back"));
});

promise!(without_conflict_resolution_steps_a_dispute_is_refused_with_advice, |store| {
    let world = breached(&store, agreement_between("", BEFORE, BEHIND)).await;
    let why = disputed(&world).await.unwrap_err().to_string();
    assert!(why.contains("add [[resolution]]"), "{why}");
    assert!(of_kind(&world, FactKind::Disputed).await.is_empty());
});

async fn crash_while(world: &World, key: &str, was: LetterState, is: LetterState) {
    let outcome = Outcome { state: is, attempts: 0, not_before: world.clock.now(), note: None };
    let mut tx = world.engine.db.begin(Priority::Work).await.unwrap();
    assert!(letter::settle(&mut tx, &acme(), key, was, &outcome).await.unwrap());
    tx.commit().await.unwrap();
}

promise!(a_letter_that_a_crash_interrupted_is_sent_once_more_and_no_oftener, |store| {
    let world =
        breached(&store, agreement_between("", BEFORE, &format!("{BEHIND}{}", STEPS.replace(", \"party\"", "")))).await;
    let row = disputed(&world).await.unwrap();
    let key = format!("dispute/{}/1/0", row.id);
    world.channels.answer("@pat@acme.example", NotifyError::Later { message: "down".into(), after: None });
    meet(&world, &mut Meetings::default()).await;
    assert!(world.channels.places().is_empty(), "its channel is down");
    crash_while(&world, &key, LetterState::Due, LetterState::Sending).await;
    meet(&world, &mut Meetings::default()).await;
    assert_eq!(world.channels.places(), ["@pat@acme.example"]);
    crash_while(&world, &key, LetterState::Sent, LetterState::Again).await;
    meet(&world, &mut Meetings::default()).await;
    assert_eq!(world.channels.places().len(), 1, "it may have arrived twice already");
});

promise!(a_letter_whose_channel_is_down_is_kept_and_one_that_nobody_reads_goes_elsewhere, |store| {
    let world = breached(&store, agreed()).await;
    disputed(&world).await.unwrap();
    let down = || NotifyError::Later { message: "down".into(), after: Some(std::time::Duration::from_secs(60)) };
    world.channels.answer("#field-sales", down());
    let nobody = || NotifyError::Nobody { message: "left".into() };
    for _ in 0..2 {
        world.channels.answer("@pat@acme.example", nobody());
        world.channels.answer("pat@acme.example", nobody());
    }
    meet(&world, &mut Meetings::default()).await;
    assert!(world.channels.places().is_empty());
    world.at(64);
    meet(&world, &mut Meetings::default()).await;
    assert_eq!(world.channels.places(), ["#field-sales", "#field-sales"], "instead of the owner, and for the party");
});

fn says(answer: bool, by: &str, moment: &str) -> AttestationRow {
    AttestationRow {
        commitment: "Briefing published".into(),
        period: "2027-01".into(),
        period_from: at("2027-01-01T00:00:00Z"),
        answer,
        by: by.into(),
        note: None,
        at: at(moment),
    }
}

promise!(a_party_is_asked_to_attest_once_five_open_days_before_the_periods_end, |store| {
    let world = World::over(store.db.clone(), agreed(), "first").await;
    let asked = || world.channels.places().iter().filter(|p| *p == "#marketing").count();
    // January 2027 ends on a Sunday; its last five open days are Monday 25 to Friday 29.
    world.clock.set(at("2027-01-25T08:59:59Z"));
    meet(&world, &mut Meetings::default()).await;
    assert_eq!(asked(), 0);
    world.clock.set(at("2027-01-25T09:00:00Z"));
    meet(&world, &mut Meetings::default()).await;
    meet(&world, &mut Meetings::default()).await;
    assert_eq!(asked(), 1);
    assert!(world.channels.sent().iter().any(|(_, said)| said.text.contains("--period 2027-01")));
});

promise!(who_has_attested_is_not_asked_and_a_later_answer_takes_the_place_of_the_first, |store| {
    let world = World::over(store.db.clone(), agreed(), "first").await;
    let (db, agreement) = (&world.engine.db, &world.site.agreement);
    for (answer, by, moment) in [(true, "Dana", "2027-01-10T10:00:00Z"), (false, "Lee", "2027-01-11T10:00:00Z")] {
        attest(db, agreement, None, &[acme()], &says(answer, by, moment)).await.unwrap();
    }
    let kept = attestation::get(db, None, "Briefing published", "2027-01").await.unwrap().unwrap();
    assert_eq!((kept.answer, kept.by.as_str()), (false, "Lee"));
    let told = of_kind(&world, FactKind::Attested).await;
    assert_eq!(told.len(), 2);
    let fact = &told[1].entry.fact;
    assert_eq!((&*fact.source, &told[1].entry.record), ("Briefing published", &None));
    assert_eq!((&fact.detail["period"], &fact.detail["answer"]), (&"2027-01".into(), &"no".into()));
    world.clock.set(at("2027-01-28T12:00:00Z"));
    meet(&world, &mut Meetings::default()).await;
    assert!(!world.channels.places().contains(&"#marketing".to_owned()));
});

fn packs(world: &World) -> Vec<(String, leadpact::notify::Rendered)> {
    world.channels.sent().into_iter().filter(|(_, said)| said.subject.starts_with("Weekly lead review")).collect()
}

promise!(a_review_goes_out_once_at_its_moment_and_after_a_down_time_late_about_its_own_period, |store| {
    let mut world = World::over(store.db.clone(), agreed(), "first").await;
    meet(&world, &mut Meetings::default()).await;
    assert!(packs(&world).is_empty(), "a new installation is not asked for what was before it");
    world.crm.edit(leadpact::record::Object::Lead, "9", minute(0), &[("name", text("x"))]);
    world.hand_over(&["0".to_owned()]).await;
    world.clock.set(at("2027-01-11T08:59:59Z"));
    world.settle().await;
    meet(&world, &mut Meetings::default()).await;
    assert!(packs(&world).is_empty());
    world.clock.set(at("2027-01-11T09:00:00Z"));
    meet(&world, &mut Meetings::default()).await;
    meet(&world, &mut Meetings::default()).await;
    let sent = packs(&world);
    assert_eq!(sent.len(), 2, "to Slack and by mail");
    let says = &sent[0].1;
    assert_eq!(says.subject, "Weekly lead review, 2027-W01");
    for line in [
        "Follow-ups on time: 0% (0 of 1) in 2027-W01, missed; agreed: at least 95%",
        "Lunch is on sales.",
        "Zoë Ünal: Follow up, overdue since 2027-01-05 13:00 UTC, 80",
        "Briefing published: 2027-01, by marketing: still possible until its end",
        "Targets <for> next week",
        "Nothing is disputed.",
    ] {
        assert!(says.text.contains(line), "{line}:\n{}", says.text);
    }
    assert!(says.html.contains("<svg") && says.html.contains("<caption>"), "a table beside each chart");
    assert!(says.html.contains("Targets &lt;for&gt; next week") && !says.html.contains("<for>"));
    assert!(says.blocks.as_array().unwrap().len() <= 50);

    // Monday 18 is a holiday, and the daemon is down until Thursday.
    world.clock.set(at("2027-01-21T15:00:00Z"));
    meet(&world, &mut Meetings::default()).await;
    let sent = packs(&world);
    assert_eq!((sent.len(), sent[2].1.subject.as_str()), (4, "Weekly lead review, 2027-W02"));
    let reviewed = of_kind(&world, FactKind::Reviewed).await;
    let periods: Vec<&str> = reviewed.iter().map(|r| r.entry.fact.detail["period"].as_str().unwrap()).collect();
    assert_eq!(periods, ["2027-W01", "2027-W02"]);
    assert_eq!(&*reviewed[0].entry.fact.source, "Weekly lead review");
});

promise!(a_pack_says_what_is_disputed_and_shows_hostile_names_as_text, |store| {
    let mut world = World::over(store.db.clone(), agreed(), "first").await;
    meet(&world, &mut Meetings::default()).await;
    world.hand_over(&["0".to_owned()]).await;
    let name = "<script>alert(1)</script>\u{202e}&<!channel>";
    world.change("0", minute(1), &[("name", text(name))]).await;
    world.at(61);
    world.settle().await;
    disputed(&world).await.unwrap();
    world.clock.set(at("2027-01-11T09:00:00Z"));
    meet(&world, &mut Meetings::default()).await;
    let said = packs(&world)[0].1.clone();
    assert!(said.text.contains("breached, Follow up: It had no <phone> number. (Ann Bee)"), "{}", said.text);
    assert!(!said.html.contains("<script") && said.html.contains("&lt;script&gt;"));
    let blocks = said.blocks.to_string();
    assert!(!blocks.contains("<!channel>") && !blocks.contains("<script"), "{blocks}");
    assert!(!said.text.contains('\u{202e}'));
});

promise!(who_only_observes_tells_nobody_and_says_what_would_have_been, |store| {
    let mut world = World::over(store.db.clone(), agreed(), "first").await;
    world.site.acts = leadpact::engine::switches::Acts::Never;
    meet(&world, &mut Meetings::default()).await;
    world.clock.set(at("2027-01-11T09:00:00Z"));
    meet(&world, &mut Meetings::default()).await;
    assert!(world.channels.places().is_empty());
    assert_eq!(of_kind(&world, FactKind::WouldHave).await.len(), 1);
    assert!(of_kind(&world, FactKind::Reviewed).await.is_empty());
});

promise!(the_journals_newest_hash_is_mailed_once_a_day, |store| {
    let mut world = breached(&store, agreed()).await;
    world.engine.mail_head_to = Some("audit@acme.example".into());
    let mails = |world: &World| world.channels.sent().into_iter().filter(|(to, _)| to == "audit@acme.example").count();
    meet(&world, &mut Meetings::default()).await;
    meet(&world, &mut Meetings::default()).await;
    let head = journal::head(&world.engine.db, &acme()).await.unwrap().unwrap();
    assert_eq!(mails(&world), 1);
    let sent = world.channels.sent();
    assert!(sent[0].1.text.contains(&format!("{}:{}", head.seq, head.hash)), "{}", sent[0].1.text);
    world.clock.set(at("2027-01-06T00:00:00Z"));
    meet(&world, &mut Meetings::default()).await;
    assert_eq!(mails(&world), 2);
    assert!(cursor::get(&world.engine.db, &acme(), "journal/head").await.unwrap().is_some());
});
