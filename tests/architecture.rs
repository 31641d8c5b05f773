//! Holds the floors of ARCHITECTURE.md: who may import whom, where time is read, what the pure core
//! keeps away from, and that every file says what it is. Reads the source as text.

use source::{Path, Token};
use std::fs;
use std::path::Path as File;

#[path = "architecture/source.rs"]
mod source;

/// Rooms and their floors. A file imports only lower floors and its own room.
const FLOORS: [(&str, u8); 16] = [
    ("record", 0),
    ("agreement", 1),
    ("chart", 1),
    ("store", 2),
    ("crm", 2),
    ("notify", 2),
    ("report", 2),
    ("document", 2),
    ("engine", 3),
    ("package", 3),
    ("sandbox", 4),
    ("web", 4),
    ("settings", 5),
    ("app", 5),
    ("cli", 5),
    ("main", 5),
];

/// On the top floor arguments lead to commands, commands to the wiring, and the wiring to settings.
const TOP: [(&str, &[&str]); 3] =
    [("app", &["settings"]), ("cli", &["settings", "app"]), ("main", &["settings", "app", "cli"])];

/// What the rooms that only compute keep away from, by the beginning of a path.
const OUTSIDE: [&str; 13] = [
    "tokio",
    "tokio_util",
    "sqlx",
    "reqwest",
    "actix_web",
    "lettre",
    "rand",
    "tracing",
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "std::io",
];

/// A room that only computes, though it stands above those that do more.
const PURE_ABOVE: &str = "package";

/// The one file that may ask what time it is.
const CLOCK: &str = "engine/clock.rs";

/// A room is a folder of `src`, or a file in it.
fn room_of(file: &str) -> &str {
    file.split('/').next().unwrap_or(file).trim_end_matches(".rs")
}

fn floor_of(room: &str) -> Option<u8> {
    FLOORS.iter().find(|(name, _)| *name == room).map(|(_, floor)| *floor)
}

/// Everything that is wrong with one file, each with its line; `file` is relative to `src`.
fn breaches(file: &str, source: &str) -> Vec<String> {
    let tokens = source::tokens(source);
    let paths = source::paths(&tokens);
    let mut found = Vec::new();
    if !source.starts_with("//!") {
        found.push(format!("src/{file}:1: does not open with `//!` and what lives in it"));
    }
    found.extend(paths.iter().filter_map(|path| wrong_import(file, path)));
    found.extend(paths.iter().filter_map(|path| impure(file, path)));
    found.extend(waits(file, &tokens));
    found.extend(paths.iter().filter_map(|path| reads_clock(file, path)));
    found.extend(measures_time(file, &tokens));
    found.dedup();
    found
}

fn wrong_import(file: &str, path: &Path<'_>) -> Option<String> {
    let room = room_of(file);
    if file == "lib.rs" {
        return None; // The map of the floors names them all.
    }
    let rooted = path.rooted(file)?;
    let other = rooted.first()?.as_str();
    let at = format!("src/{file}:{}", path.line);
    let Some(mine) = floor_of(room) else {
        return Some(format!("{at}: `{room}` is a new room: give it a floor in tests/architecture.rs"));
    };
    let Some(theirs) = floor_of(other) else {
        let names_all = (other == "*").then(|| format!("{at}: imports the whole crate; name the room that is meant"));
        let is_unknown = path.parts.first() != Some(&"super");
        return names_all.or(is_unknown.then(|| format!("{at}: imports `{other}`, which is no room with a floor")));
    };
    let agreed = TOP.iter().any(|(name, lower)| *name == room && lower.contains(&other));
    if room == other || theirs < mine || agreed {
        return None;
    }
    Some(format!(
        "{at}: {room} (floor {mine}) imports {other} (floor {theirs}); only lower floors and the own room may be"
    ))
}

/// Floors 0 and 1 compute: values in, values out.
fn impure(file: &str, path: &Path<'_>) -> Option<String> {
    let room = room_of(file);
    let written = path.parts.join("::");
    let under = |outer: &str| written == outer || written.starts_with(&format!("{outer}::"));
    let of_time = under("std::time") && !(room == "record" && under("std::time::Duration"));
    let outside = of_time || OUTSIDE.iter().any(|outer| under(outer));
    ((floor_of(room)? <= 1 || room == PURE_ABOVE) && outside)
        .then(|| format!("src/{file}:{}: {room} is pure, but uses {written}", path.line))
}

fn waits(file: &str, tokens: &[Token<'_>]) -> Vec<String> {
    let room = room_of(file);
    let waits = tokens.iter().filter(|token| ["async", "await"].contains(&token.text));
    let is_pure = room == PURE_ABOVE || floor_of(room).is_some_and(|floor| floor <= 1);
    waits.filter(|_| is_pure).map(|t| format!("src/{file}:{}: {room} is pure, but has `{}`", t.line, t.text)).collect()
}

/// `SystemTime::now`, `Instant::now`, `Timestamp::now` and whatever else is called so.
fn reads_clock(file: &str, path: &Path<'_>) -> Option<String> {
    let [.., kind, last] = path.parts[..] else { return None };
    let asks = last == "now" && kind.starts_with(char::is_uppercase);
    (asks && file != CLOCK)
        .then(|| format!("src/{file}:{}: {kind}::{last} reads the clock; time is an argument (see {CLOCK})", path.line))
}

fn measures_time(file: &str, tokens: &[Token<'_>]) -> Vec<String> {
    let elapsed =
        tokens.windows(4).filter(|t| [t[0].text, t[1].text, t[2].text, t[3].text] == [".", "elapsed", "(", ")"]);
    let outside = elapsed.filter(|_| file != CLOCK);
    outside.map(|t| format!("src/{file}:{}: `.elapsed()` reads the clock (see {CLOCK})", t[1].line)).collect()
}

/// Every `.rs` file below `src`, relative to it, with its text.
fn files() -> Vec<(String, String)> {
    let root = File::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut found, mut folders) = (Vec::new(), vec![root.clone()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a readable folder") {
            let path = entry.expect("a readable entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let name = path.strip_prefix(&root).expect("below src").to_string_lossy().replace('\\', "/");
                found.push((name, fs::read_to_string(&path).expect("readable source")));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn the_source_keeps_its_floors() {
    let files = files();
    assert!(files.len() > 50, "only {} files were found", files.len());
    let found: Vec<String> = files.iter().flat_map(|(file, source)| breaches(file, source)).collect();
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn every_room_has_a_floor() {
    let strange = |file: &&str| *file != "lib.rs" && floor_of(room_of(file)).is_none();
    let files = files();
    let strange: Vec<&str> = files.iter().map(|(file, _)| file.as_str()).filter(strange).collect();
    assert!(strange.is_empty(), "give these rooms a floor in tests/architecture.rs: {strange:?}");
}

#[test]
fn both_crates_forbid_unsafe_code() {
    for (file, source) in files().iter().filter(|(file, _)| ["lib.rs", "main.rs"].contains(&file.as_str())) {
        assert!(source.contains("#![forbid(unsafe_code)]"), "src/{file}");
    }
}

/// What the checker says of a made-up file, after the line that every file opens with.
fn check(file: &str, source: &str) -> String {
    breaches(file, &format!("//! Made up.\n{source}")).join("\n")
}

#[test]
fn lower_floors_and_the_own_room_may_be_imported() {
    assert_eq!(check("engine/apply.rs", "use crate::{record::Fact, store::{Db, Tx}, agreement as a};"), "");
    assert_eq!(check("store/outbox.rs", "use super::{Db, Tx};\nuse crate::store::journal;"), "");
    assert_eq!(check("store/db.rs", "macro_rules! on { () => { $crate::store::Db::open() } }"), "");
    assert_eq!(check("notify/slack.rs", "mod tests { use super::*; use super::super::http; }"), "");
    assert_eq!(check("cli/serve.rs", "use crate::{app, settings::Settings, web};"), "");
    assert_eq!(check("main.rs", "use leadpact::cli;\nfn main() { leadpact::app::run() }"), "");
    assert_eq!(
        check("agreement/model.rs", "pub(crate) fn a<'crate_>(b: &'static str) -> std::fmt::Result { c() }"),
        ""
    );
}

#[test]
fn a_higher_floor_is_found_however_it_is_written() {
    let expected = "src/agreement/parse/mod.rs:2: agreement (floor 1) imports store (floor 2); only lower floors and the \
                    own room may be";
    for source in [
        "use crate::store::Db;",
        "use crate::{record::Fact, store::{Db, Tx}};",
        "use crate::{record::{Fact}, store};",
        "use super::super::store::Db;",
        "use super::super::{record, store::Db};",
        "mod inner { use super::super::super::store; }",
        "pub use self::super::super::store;",
        "fn f(db: &crate::store::Db) {}",
        "fn f() { let x = <crate::store::Db as Clone>::clone(&d); }",
        "fn f(c: char) { if c == '\"' { crate::store::open() } }",
        "use crate :: store as shop;",
        "use leadpact::store;",
    ] {
        assert!(check("agreement/parse/mod.rs", source).contains(expected), "{source}");
    }
}

#[test]
fn rooms_of_one_floor_do_not_know_each_other() {
    let said = check("crm/hubspot/api.rs", "\nuse crate::notify::Message;");
    assert!(said.starts_with("src/crm/hubspot/api.rs:3: crm (floor 2) imports notify (floor 2)"), "{said}");
    assert!(check("web/pages.rs", "use crate::sandbox;").contains("imports sandbox"));
    assert!(check("settings/mod.rs", "use crate::cli;").contains("imports cli"));
    assert!(check("app.rs", "use crate::cli;").contains("imports cli"));
}

#[test]
fn what_has_no_floor_and_what_hides_it_are_refused() {
    assert!(check("engine/apply.rs", "use crate::attic::Box;").contains("`attic`, which is no room"));
    assert!(check("attic/mod.rs", "use crate::record::Fact;").contains("is a new room"));
    assert!(check("engine/apply.rs", "use crate::*;").contains("imports the whole crate"));
    assert!(check("engine/apply.rs", "use crate as all;").contains("imports the whole crate"));
    assert!(check("engine/apply.rs", "use crate::{self as all};").contains("imports the whole crate"));
}

#[test]
fn comments_and_texts_import_nothing() {
    let source = r##"
        // use crate::web;
        /* use crate::web; /* nested */ crate::web */
        const A: &str = "crate::web \" crate::web";
        const B: &str = r#"crate::web " crate::web"#;
        const C: (char, &[u8]) = ('\'', b"crate::web");
    "##;
    assert_eq!(check("record/text.rs", source), "");
}

#[test]
fn the_core_does_no_input_or_output_and_never_waits() {
    let pure = |source| check("agreement/decide.rs", source);
    assert!(pure("use std::{collections::HashMap, fs};").contains("agreement is pure, but uses std::fs"));
    assert!(pure("fn f() { ::tokio::spawn(g()) }").contains("uses tokio::spawn"));
    assert!(pure("use std::time::Duration;").contains("uses std::time::Duration"));
    assert!(pure("async fn f() {}").contains("has `async`"));
    assert!(check("package/mod.rs", "use std::fs;").contains("package is pure, but uses std::fs"));
    assert_eq!(check("record/time.rs", "fn f() -> std::time::Duration { g() }"), "");
    assert_eq!(check("engine/wake.rs", "use std::{fs, time::Duration};\nasync fn f() {}"), "");
}

#[test]
fn only_one_file_reads_the_clock() {
    for source in [
        "fn f() { std::time::Instant::now(); }",
        "fn f() { let t = SystemTime::now(); }",
        "fn f() -> Timestamp { jiff::Timestamp::now() }",
        "fn f() { x.map_or_else(tokio::time::Instant::now, g) }",
        "fn f(since: Instant) { since.elapsed(); }",
    ] {
        assert!(check("sandbox/server.rs", source).contains("reads the clock"), "{source}");
        assert_eq!(check(CLOCK, source), "");
    }
    assert_eq!(check("sandbox/server.rs", "fn f() { crate::engine::clock::real_now(); self.clock.now(); }"), "");
}

#[test]
fn every_file_opens_by_saying_what_it_is() {
    assert_eq!(
        breaches("record/ids.rs", "use std::fmt;"),
        ["src/record/ids.rs:1: does not open with `//!` and what lives in it"]
    );
}
