//! Attestations, disputes and letters.

use crate::{acme, at, lead, other};
use leadpact::record::FactKind;
use leadpact::store::attestation::{self, AttestationRow};
use leadpact::store::dispute::{self, DisputeRow, DisputeState};
use leadpact::store::dispute_list::{Filter, page, place};
use leadpact::store::letter::{self, LetterRow, LetterState, Outcome};

fn answer(commitment: &str, period: &str, from: i64, answer: bool) -> AttestationRow {
    AttestationRow {
        commitment: commitment.into(),
        period: period.into(),
        period_from: at(from),
        answer,
        by: "Dana\0".replace('\0', ""),
        note: Some("slides".into()),
        at: at(from + 5),
    }
}

promise!(the_last_answer_for_a_period_is_the_one_that_is_kept, |store| {
    let mut tx = store.begin().await;
    attestation::save(&mut tx, None, &answer("Briefing", "2027-01", 10, true)).await.unwrap();
    attestation::save(&mut tx, None, &answer("Briefing", "2027-02", 20, true)).await.unwrap();
    attestation::save(&mut tx, Some(&acme()), &answer("Briefing", "2027-01", 10, true)).await.unwrap();
    attestation::save(&mut tx, None, &answer("Briefing", "2027-01", 10, false)).await.unwrap();
    tx.commit().await.unwrap();
    let kept = attestation::get(&store.db, None, "Briefing", "2027-01").await.unwrap();
    assert_eq!(kept, Some(answer("Briefing", "2027-01", 10, false)));
    assert!(attestation::get(&store.db, Some(&acme()), "Briefing", "2027-01").await.unwrap().unwrap().answer);
    assert_eq!(attestation::get(&store.db, Some(&other()), "Briefing", "2027-01").await.unwrap(), None);
    let between = attestation::between(&store.db, None, at(10), at(20)).await.unwrap();
    assert_eq!(between, [answer("Briefing", "2027-01", 10, false)], "the end is exclusive");
});

fn row(id: &str, opened: i64) -> DisputeRow {
    DisputeRow {
        id: id.into(),
        record: lead("1"),
        fact_key: "1/Follow up/1/breached/".into(),
        fact_at: at(7),
        kind: FactKind::Breached,
        source: "Follow up".into(),
        party: Some("field_sales".into()),
        owner: None,
        opened_at: at(opened),
        by: "Ann".into(),
        why: "No phone number.".into(),
        step: 1,
        told_step: 0,
        step_due: Some(at(50)),
        state: DisputeState::Open,
        decided_at: None,
        decided_by: None,
        verdict: None,
    }
}

promise!(one_fact_is_disputed_once_at_a_time_and_moved_by_one_hand, |store| {
    let mut tx = store.begin().await;
    assert!(dispute::open(&mut tx, &row("a", 10)).await.unwrap());
    assert!(!dispute::open(&mut tx, &row("b", 11)).await.unwrap(), "it is open already");
    tx.commit().await.unwrap();
    assert_eq!(dispute::find(&store.db, "a").await.unwrap(), Some(row("a", 10)));
    assert_eq!(dispute::undecided(&store.db, &acme()).await.unwrap(), [row("a", 10)]);

    let climbed = DisputeRow { step: 2, told_step: 1, step_due: Some(at(90)), ..row("a", 10) };
    let upheld = DisputeRow {
        state: DisputeState::Upheld,
        step_due: None,
        decided_at: Some(at(60)),
        decided_by: Some("Dana".into()),
        verdict: Some("true".into()),
        ..climbed.clone()
    };
    let mut tx = store.begin().await;
    assert!(dispute::advance(&mut tx, &row("a", 10), &climbed).await.unwrap());
    assert!(!dispute::advance(&mut tx, &row("a", 10), &upheld).await.unwrap(), "it climbed meanwhile");
    assert!(dispute::advance(&mut tx, &climbed, &upheld).await.unwrap());
    assert!(dispute::open(&mut tx, &row("c", 70)).await.unwrap(), "a decided one stands in nobody's way here");
    tx.commit().await.unwrap();
    let newest: Vec<String> =
        dispute::newest(&store.db, &acme(), 9).await.unwrap().into_iter().map(|row| row.id).collect();
    assert_eq!(newest, ["c", "a"]);
    assert_eq!(dispute::of_record(&store.db, &lead("1")).await.unwrap()[0], upheld);
    assert!(dispute::undecided(&store.db, &other()).await.unwrap().is_empty());
});

promise!(a_letter_is_stored_once_and_moves_from_the_state_it_was_seen_in, |store| {
    let due = |key: &str| LetterRow {
        key: key.into(),
        destinations: "[]".into(),
        body: "{}".into(),
        state: LetterState::Due,
        attempts: 0,
    };
    let mut tx = store.begin().await;
    assert!(letter::add(&mut tx, &acme(), &due("a"), at(10), at(5)).await.unwrap());
    assert!(!letter::add(&mut tx, &acme(), &due("a"), at(1), at(6)).await.unwrap());
    let observed = LetterRow { state: LetterState::WouldHave, ..due("b") };
    assert!(letter::add(&mut tx, &acme(), &observed, at(1), at(5)).await.unwrap());
    tx.commit().await.unwrap();
    assert!(letter::due(&store.db, &acme(), at(9), 10).await.unwrap().is_empty());
    assert_eq!(letter::due(&store.db, &acme(), at(10), 10).await.unwrap(), [due("a")]);

    let is = |state| Outcome { state, attempts: 1, not_before: at(12), note: None };
    let mut tx = store.begin().await;
    assert!(letter::settle(&mut tx, &acme(), "a", LetterState::Due, &is(LetterState::Sending)).await.unwrap());
    assert!(!letter::settle(&mut tx, &acme(), "a", LetterState::Due, &is(LetterState::Sent)).await.unwrap());
    tx.commit().await.unwrap();
    let seen = letter::due(&store.db, &acme(), at(12), 10).await.unwrap();
    assert_eq!((seen[0].state, seen[0].attempts), (LetterState::Sending, 1));
    let mut tx = store.begin().await;
    assert_eq!(letter::delete_before(&mut tx, &acme(), at(100)).await.unwrap(), 1, "what ended, and nothing else");
    tx.commit().await.unwrap();
    assert_eq!(letter::due(&store.db, &acme(), at(12), 10).await.unwrap().len(), 1);
});

promise!(disputes_are_looked_through_by_their_deadline_and_decided_ones_newest_first, |store| {
    let mut tx = store.begin().await;
    let due = [Some(30), None, Some(10), Some(10), Some(20)];
    for (n, due) in due.into_iter().enumerate() {
        let state = if due.is_none() { DisputeState::Exhausted } else { DisputeState::Open };
        let row = DisputeRow { fact_key: format!("{n}"), step_due: due.map(at), state, ..row(&format!("d{n}"), 10) };
        assert!(dispute::open(&mut tx, &row).await.unwrap());
    }
    for (id, decided) in [("e1", 40), ("e2", 60)] {
        let open = DisputeRow { fact_key: id.into(), ..row(id, 10) };
        let is = DisputeRow {
            state: DisputeState::Upheld,
            step_due: None,
            decided_at: Some(at(decided)),
            decided_by: Some("Ann".into()),
            ..open.clone()
        };
        assert!(dispute::open(&mut tx, &open).await.unwrap());
        assert!(dispute::advance(&mut tx, &open, &is).await.unwrap());
    }
    tx.commit().await.unwrap();
    for (filter, expected) in [
        (Filter::default(), vec!["d2", "d3", "d4", "d0", "d1"]),
        (
            Filter { connection: Some("acme".into()), party: Some("field_sales".into()), ..Filter::default() },
            vec!["d2", "d3", "d4", "d0", "d1"],
        ),
        (Filter { state: Some(DisputeState::Exhausted), ..Filter::default() }, vec!["d1"]),
        (Filter { party: Some("marketing".into()), ..Filter::default() }, vec![]),
        (Filter { over: true, ..Filter::default() }, vec!["e2", "e1"]),
        (Filter { over: true, connection: Some(other().to_string()), ..Filter::default() }, vec![]),
    ] {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let rows = page(&store.db, &filter, after.as_ref(), 2).await.unwrap();
            let Some(last) = rows.last() else { break };
            after = Some(place(last));
            seen.extend(rows.into_iter().map(|row| row.id));
        }
        assert_eq!(seen, expected, "{filter:?}");
    }
});
