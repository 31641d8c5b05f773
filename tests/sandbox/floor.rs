//! The sales floor, on a clock that is moved by hand.

use leadpact::record::{Elapsed, Timestamp};
use leadpact::sandbox::floor::{FloorOptions, Function, SalesFloor};
use leadpact::sandbox::{By, CrmKind, World, vocabulary};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

struct Play {
    world: Arc<World>,
    floor: SalesFloor,
    time: Arc<AtomicI64>,
}

/// Monday to Friday, 14 to 23 o'clock UTC: nearly Boston's day.
fn is_open(at: Timestamp) -> bool {
    let at = at.to_jiff().to_zoned(jiff::tz::TimeZone::UTC);
    at.weekday().to_monday_one_offset() <= 5 && (14..23).contains(&at.hour())
}

fn play(crm: CrmKind, seed: u64) -> Play {
    let time = Arc::new(AtomicI64::new(crate::support::MORNING));
    let shown = time.clone();
    let world = Arc::new(World::new(crm, Arc::new(move || Timestamp::from_millis(shown.load(Ordering::SeqCst)))));
    let options = FloorOptions { seed, is_open: Arc::new(is_open), leads_per_hour: 2.0, opening_leads: 5, pace: 1.0 };
    Play { floor: SalesFloor::new(world.clone(), options), world, time }
}

impl Play {
    /// The story of so many days, minute by minute.
    fn run(&mut self, days: i64) -> Vec<String> {
        let mut heard = self.world.listen();
        let mut story = Vec::new();
        for _ in 0..days * 24 * 60 {
            self.floor.step(self.now());
            self.time.fetch_add(60_000, Ordering::SeqCst);
            while let Ok(event) = heard.try_recv() {
                assert!(is_open(event.at), "{} {event}", event.at);
                story.push(event.to_string());
            }
        }
        story
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.time.load(Ordering::SeqCst))
    }
}

fn some(story: &[String], part: &str) -> bool {
    story.iter().any(|line| line.contains(part))
}

#[test]
fn the_same_seed_tells_the_same_story_and_another_another() {
    let story = play(CrmKind::HubSpot, 7).run(3);
    assert!(story.len() > 100, "{}", story.len());
    assert_eq!(story, play(CrmKind::HubSpot, 7).run(3));
    assert_ne!(story, play(CrmKind::HubSpot, 8).run(3));
}

#[test]
fn everything_that_an_agreement_cares_about_happens_in_both_crms() {
    for crm in [CrmKind::HubSpot, CrmKind::Salesforce] {
        let mut play = play(crm, 42);
        let story = play.run(14);
        for part in ["Amy Ng accepted", "rejected", "qualified for sales", "is working", "nurtures"] {
            assert!(some(&story, part), "{crm:?}: nobody ever: {part}");
        }
        for asleep in ["Cleo Brandt", "Finn Olsen"] {
            assert!(!story.iter().any(|line| line.starts_with(asleep)), "{asleep} did something");
            assert!(some(&story, &format!("to {asleep}")), "{asleep} was given nothing");
        }
        let deals = play.world.all(vocabulary::opportunity_object(crm));
        assert!(deals.len() > 3, "{crm:?}: {}", deals.len());
        let amount = |deal: &leadpact::sandbox::StoredRecord| {
            deal.history.iter().find(|c| c.property.eq_ignore_ascii_case("amount")).map(|c| c.at)
        };
        assert!(deals.iter().any(|d| amount(d) == Some(d.created)), "{crm:?}: none was complete at once");
        assert!(deals.iter().any(|d| amount(d).is_some_and(|at| at > d.created)), "{crm:?}: none was filled in later");
    }
}

#[test]
fn an_opportunity_stays_connected_with_its_lead() {
    let mut hubspot = play(CrmKind::HubSpot, 42);
    hubspot.run(10);
    for deal in hubspot.world.all("deals") {
        assert_eq!(hubspot.world.associated("deals", &deal.id, "contacts").len(), 1);
    }
    let mut salesforce = play(CrmKind::Salesforce, 42);
    salesforce.run(10);
    let converted: Vec<_> =
        salesforce.world.all("Lead").into_iter().filter(|l| l.get("IsConverted") == json!(true)).collect();
    assert_eq!(converted.len(), salesforce.world.all("Opportunity").len());
    for lead in converted {
        assert!(salesforce.world.get("Opportunity", &lead.text("ConvertedOpportunityId")).is_some());
    }
}

#[test]
fn a_lead_that_came_back_to_somebody_awake_is_answered() {
    let mut play = play(CrmKind::HubSpot, 42);
    play.run(1);
    let tele = play.floor.staff().of(Function::Teleprospecting);
    let (amy, cleo) = (tele[0].id.clone(), tele[2].id.clone());
    let waiting = play
        .world
        .all("contacts")
        .into_iter()
        .find(|lead| lead.text("hubspot_owner_id") == cleo && lead.text("hs_lead_status") == "MARKETING_QUALIFIED");
    let lead = waiting.expect("the sleeper has leads").id;
    let back = BTreeMap::from([("hubspot_owner_id".to_owned(), json!(amy))]);
    play.world.change("contacts", &lead, back, By::App).unwrap();
    play.run(2);
    let status = play.world.field("contacts", &lead, "status");
    assert_ne!(status, "MARKETING_QUALIFIED");
}

#[test]
fn the_leads_are_mixed_and_mostly_good() {
    let mut play = play(CrmKind::HubSpot, 3);
    play.run(14);
    let leads = play.world.all("contacts");
    let with = |bad: fn(&leadpact::sandbox::StoredRecord) -> bool| leads.iter().filter(|l| bad(l)).count();
    let low = with(|l| l.text("hubspotscore").parse::<u32>().unwrap() < 60);
    let private = with(|l| l.text("email").ends_with("@gmail.com"));
    let nameless = with(|l| l.text("company").is_empty());
    assert!(leads.len() > 100 && low > 0 && private > 0 && nameless > 0);
    assert!(low + private + nameless < leads.len() / 2);
    let step = play.floor.step(play.now() + Elapsed::from_secs(0));
    assert!(step.is_some(), "there is always something planned");
}
