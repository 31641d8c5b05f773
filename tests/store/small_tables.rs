//! Cursors, people, rotation.

use crate::{acme, other};
use leadpact::store::person::{self, PersonRow};
use leadpact::store::{cursor, rotation};

promise!(a_cursor_is_set_moved_and_forgotten, |store| {
    let mut tx = store.begin().await;
    cursor::set(&mut tx, &acme(), "sweep", "1").await.unwrap();
    cursor::set(&mut tx, &acme(), "sweep", "2").await.unwrap();
    cursor::set(&mut tx, &acme(), "review", "3").await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(cursor::get(&store.db, &acme(), "sweep").await.unwrap().as_deref(), Some("2"));
    assert_eq!(cursor::get(&store.db, &other(), "sweep").await.unwrap(), None);
    let mut tx = store.begin().await;
    cursor::remove(&mut tx, &acme(), "sweep").await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(cursor::get(&store.db, &acme(), "sweep").await.unwrap(), None);
    assert_eq!(cursor::get(&store.db, &acme(), "review").await.unwrap().as_deref(), Some("3"));
});

promise!(a_cursor_that_is_replaced_says_whether_it_moved, |store| {
    let mut tx = store.begin().await;
    for (position, moved) in [("1", true), ("1", false), ("2", true)] {
        assert_eq!(cursor::replace(&mut tx, &acme(), "active", position).await.unwrap(), moved, "{position}");
    }
    tx.commit().await.unwrap();
    assert_eq!(cursor::get(&store.db, &acme(), "active").await.unwrap().as_deref(), Some("2"));
});

fn person(id: &str, active: bool) -> PersonRow {
    PersonRow {
        id: id.into(),
        user: None,
        name: "Ada".into(),
        email: Some("ada@acme.example".into()),
        manager: Some("7000".into()),
        active,
        queue: !active,
    }
}

promise!(the_directory_is_as_last_read, |store| {
    let many: Vec<PersonRow> = (0..1000).map(|n| person(&format!("{n:04}"), true)).collect();
    let mut tx = store.begin().await;
    person::save_all(&mut tx, &acme(), &many).await.unwrap();
    let seventh = PersonRow { user: Some("9914".into()), ..person("0007", false) };
    person::save_all(&mut tx, &acme(), std::slice::from_ref(&seventh)).await.unwrap();
    tx.commit().await.unwrap();
    let people = person::load_all(&store.db, &acme()).await.unwrap();
    assert_eq!(people.len(), 1000);
    assert_eq!((&people[6], &people[7]), (&person("0006", true), &seventh));
    assert!(person::load_all(&store.db, &other()).await.unwrap().is_empty());
});

promise!(members_take_their_turns, |store| {
    let mut tx = store.begin().await;
    let mut turns = Vec::new();
    for roster in [3, 3, 3, 3, 0, 1, 3] {
        turns.push(rotation::next(&mut tx, &acme(), &"field_sales".into(), roster).await.unwrap());
    }
    assert_eq!(turns, [Some(0), Some(1), Some(2), Some(0), None, Some(0), Some(1)]);
    assert_eq!(rotation::next(&mut tx, &acme(), &"inside_sales".into(), 3).await.unwrap(), Some(0));
    assert_eq!(rotation::next(&mut tx, &other(), &"field_sales".into(), 3).await.unwrap(), Some(0));
});
