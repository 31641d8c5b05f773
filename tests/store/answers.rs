//! Tickets behind buttons and links, and what people prefer.

use crate::{acme, at, other};
use leadpact::store::answer::{self, Purpose, Ticket};
use leadpact::store::preference::{self, Channel, Gathering, Preference, Quiet, minute};
use leadpact::store::secret::Secret;

fn ticket(purpose: Purpose, until: i64) -> Ticket {
    Ticket {
        purpose,
        about: "a\0b".into(),
        person: Some("80".into()),
        email: "pat@acme.example".into(),
        expires_at: at(until),
        used_at: None,
    }
}

promise!(a_ticket_is_found_by_its_word_used_once_and_forgotten_in_time, |store| {
    let words = [Secret::fresh(""), Secret::fresh(""), Secret::fresh("")];
    let purposes = [Purpose::Button, Purpose::Link, Purpose::Preferences];
    let all: Vec<_> = words.iter().cloned().zip(purposes.map(|p| ticket(p, 10))).collect();
    let mut tx = store.begin().await;
    answer::add(&mut tx, &acme(), &all).await.unwrap();
    answer::add(&mut tx, &acme(), &[]).await.unwrap();
    tx.commit().await.unwrap();
    for (word, purpose) in words.iter().zip(purposes) {
        let expected = Ticket { about: "a\u{fffd}b".into(), ..ticket(purpose, 10) };
        assert_eq!(answer::find(&store.db, &acme(), word).await.unwrap(), Some(expected));
        assert_eq!(answer::find(&store.db, &other(), word).await.unwrap(), None);
    }
    assert_eq!(answer::find(&store.db, &acme(), &Secret::brought(&words[0].hash())).await.unwrap(), None);
    let mut tx = store.begin().await;
    assert!(!answer::take(&mut tx, &other(), &words[1], at(5)).await.unwrap());
    assert!(answer::take(&mut tx, &acme(), &words[1], at(5)).await.unwrap());
    assert!(!answer::take(&mut tx, &acme(), &words[1], at(6)).await.unwrap());
    tx.commit().await.unwrap();
    let used = answer::find(&store.db, &acme(), &words[1]).await.unwrap().unwrap();
    assert_eq!(used.used_at, Some(at(5)));
    let mut tx = store.begin().await;
    assert_eq!(answer::delete_before(&mut tx, &acme(), at(10)).await.unwrap(), 0);
    assert_eq!(answer::delete_before(&mut tx, &other(), at(11)).await.unwrap(), 0);
    assert_eq!(answer::delete_before(&mut tx, &acme(), at(11)).await.unwrap(), 3);
    tx.commit().await.unwrap();
});

promise!(what_a_person_prefers_stands_until_they_say_otherwise, |store| {
    let row = |channel, quiet| Preference {
        owner: "80".into(),
        channel,
        gathering: Gathering::Daily,
        quiet,
        by: "Pat".into(),
        at: at(1),
    };
    for said in [row(Channel::Both, Quiet::new(1320, 420)), row(Channel::Email, None)] {
        let mut tx = store.begin().await;
        preference::set(&mut tx, &acme(), &said).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(preference::load_all(&store.db, &acme()).await.unwrap(), [said]);
    }
    assert!(preference::load_all(&store.db, &other()).await.unwrap().is_empty());
});

#[test]
fn quiet_hours_may_pass_midnight() {
    let night = Quiet::new(22 * 60, 7 * 60).unwrap();
    assert!(night.holds(23 * 60) && night.holds(0) && night.holds(419) && !night.holds(420) && !night.holds(1319));
    let noon = Quiet::new(720, 780).unwrap();
    assert!(noon.holds(720) && !noon.holds(780) && !noon.holds(0));
    assert_eq!((Quiet::new(5, 5), Quiet::new(1440, 5)), (None, None));
    assert_eq!((minute("07:05"), minute("7:05"), minute("24:00"), minute("+7:05")), (Some(425), None, None, None));
}
