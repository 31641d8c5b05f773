//! Conditions from outside: what the agreement's own conditions answer, the rules of null, every kind
//! of refusal with its place, sentences, explanations, and random conditions against a naive judge.

use jiff::civil::date;
use leadpact::agreement::model::Dictionary;
use leadpact::agreement::predicate::{Predicate, Problem, Scope, View};
use leadpact::record::{FieldName, FieldType, Fields, Object, Timestamp, Value};
use proptest::prelude::*;

const STAGES: [(&str, bool); 10] = [
    ("inquiry", true),
    ("mql", true),
    ("tal", true),
    ("tql", true),
    ("sal", true),
    ("sql", true),
    ("won", true),
    ("lost", false),
    ("rejected", false),
    ("nurture", false),
];

fn dictionary() -> Dictionary {
    use FieldType::{Bool, Date, Number, Text, Time};
    let lead = [
        ("name", Text),
        ("email", Text),
        ("status", Text),
        ("source", Text),
        ("budget", Text),
        ("authority", Text),
        ("need", Text),
        ("timeframe", Text),
        ("region", Text),
        ("score", Number),
        ("seats", Number),
        ("touches", Number),
        ("last_touch", Time),
        ("created", Time),
        ("trial_ends", Date),
        ("customer", Bool),
        ("on_hold", Bool),
    ];
    let opportunity = [("status", Text), ("source", Text), ("amount", Number), ("close_date", Date)];
    Dictionary { lead: lead.into(), opportunity: opportunity.into() }
}

/// Compiles as a clock's condition on a lead.
fn compile(source: &str) -> Result<(Predicate, Vec<Problem>), Vec<Problem>> {
    compile_as(source, Object::Lead, true, true)
}

fn compile_as(
    source: &str,
    object: Object,
    stages: bool,
    in_clock: bool,
) -> Result<(Predicate, Vec<Problem>), Vec<Problem>> {
    let names: Vec<(String, bool)> = STAGES.iter().map(|(name, inside)| ((*name).to_owned(), *inside)).collect();
    let dictionary = dictionary();
    Predicate::compile(source, &Scope { object, dictionary: &dictionary, stages: stages.then_some(&names), in_clock })
}

#[track_caller]
fn predicate(source: &str) -> Predicate {
    compile(source).unwrap_or_else(|problems| panic!("{source}: {problems:#?}")).0
}

fn fields<const N: usize>(values: [(&str, Value); N]) -> Fields {
    let mut fields = Fields::default();
    for (name, value) in values {
        fields.set(FieldName::new(name), value, Timestamp::from_millis(0));
    }
    fields
}

fn view(fields: &Fields) -> View<'_> {
    View { fields, stage: None, furthest: None, touches: Some(0.0) }
}

fn stage(name: &str) -> Option<usize> {
    STAGES.iter().position(|(known, _)| *known == name)
}

fn text(text: &str) -> Value {
    Value::text(text)
}

#[track_caller]
fn holds(source: &str, fields: &Fields) -> bool {
    predicate(source).holds(&view(fields))
}

// ── The agreement's own conditions ───────────────────────────────────────────────────────────

#[test]
fn the_definition_of_a_qualified_lead_takes_the_right_ones() {
    let source = r#"score >= 60 && email != null && !email.endsWith("@gmail.com")"#;
    let (compiled, warnings) = compile(source).unwrap();
    assert_eq!(warnings, [], "the definition tests the e-mail for null itself");
    assert_eq!(compiled.source(), source);
    assert_eq!(compiled.fields(), [FieldName::new("score"), FieldName::new("email")]);
    for (score, email, expected) in [
        (Some(60.0), Some("dana@acme.example"), true),
        (Some(59.9), Some("dana@acme.example"), false),
        (Some(75.0), Some("a@gmail.com"), false),
        (Some(75.0), None, false),
        (None, Some("dana@acme.example"), false),
    ] {
        let record =
            fields([("score", score.map_or(Value::Null, Value::Number)), ("email", email.map_or(Value::Null, text))]);
        assert_eq!(compiled.holds(&view(&record)), expected, "{score:?} {email:?}");
    }
}

#[test]
fn the_other_conditions_of_fields_take_the_right_records() {
    let four = "budget != null && authority != null && need != null && timeframe != null";
    let full =
        fields([("budget", text("10k")), ("authority", text("CFO")), ("need", text("x")), ("timeframe", text("Q2"))]);
    let partial = fields([("budget", text("10k")), ("authority", text("CFO")), ("need", text("x"))]);
    assert!(holds(four, &full) && !holds(four, &partial));
    for (source, name, value, expected) in [
        (r#"status == "Open""#, "status", text("Open"), true),
        (r#"status == "Open""#, "status", text("open"), false),
        (r#"status == "Qualified by marketing""#, "status", text("Qualified by marketing"), true),
        (r#"source == "Marketing""#, "source", text("Trade fair"), false),
        ("on_hold == true", "on_hold", Value::Bool(true), true),
        ("on_hold == true", "on_hold", Value::Bool(false), false),
        ("customer == true", "customer", Value::Null, false),
        ("customer", "customer", Value::Bool(true), true),
        ("customer", "customer", Value::Null, false),
    ] {
        assert_eq!(holds(source, &fields([(name, value)])), expected, "{source}");
    }
    for status in ["open", "won", "lost"] {
        let source = format!(r#"status == "{status}""#);
        let (condition, _) = compile_as(&source, Object::Opportunity, false, false).unwrap();
        assert!(condition.holds(&view(&fields([("status", text(status))]))));
    }
}

#[test]
fn stages_and_touches_are_asked_for_as_the_clocks_do() {
    let none = Fields::default();
    for (source, current, furthest, touches, expected) in [
        (r#"reached("tal")"#, Some("tal"), Some("tal"), 0.0, true),
        (r#"reached("tal")"#, Some("sal"), Some("sal"), 0.0, true),
        (r#"reached("tal")"#, Some("mql"), Some("mql"), 0.0, false),
        (r#"reached("tal")"#, Some("rejected"), Some("mql"), 0.0, false),
        (r#"reached("tal")"#, None, None, 0.0, false),
        ("touches >= 1", None, None, 0.0, false),
        ("touches >= 1", None, None, 1.0, true),
        (r#"touches >= 6 || reached("sql")"#, Some("tql"), Some("tql"), 5.0, false),
        (r#"touches >= 6 || reached("sql")"#, Some("tql"), Some("tql"), 6.0, true),
        (r#"touches >= 6 || reached("sql")"#, Some("sql"), Some("sql"), 0.0, true),
        (r#"reached("sql") || stage == "nurture""#, Some("nurture"), Some("tql"), 0.0, true),
        (r#"stage != "nurture""#, Some("nurture"), Some("tql"), 0.0, false),
        (r#"stage in ["lost", "rejected"]"#, Some("rejected"), Some("tql"), 0.0, true),
        (r#"stage in ["lost", "rejected"]"#, None, None, 0.0, false),
        (r#""nurture" == stage"#, Some("nurture"), None, 0.0, true),
    ] {
        let look = View {
            fields: &none,
            stage: current.and_then(stage),
            furthest: furthest.and_then(stage),
            touches: Some(touches),
        };
        assert_eq!(predicate(source).holds(&look), expected, "{source} at {current:?}, {touches} touches");
    }
}

#[test]
fn touches_are_the_runs_in_a_clock_and_a_field_outside() {
    let record = fields([("touches", Value::Number(9.0))]);
    let inside = predicate("touches >= 6");
    assert!(inside.reads_touches());
    assert_eq!(inside.fields(), []);
    assert!(!inside.holds(&View { touches: Some(2.0), ..view(&record) }));
    let (outside, _) = compile_as("touches >= 6", Object::Lead, true, false).unwrap();
    assert!(outside.reads_touches());
    assert_eq!(outside.fields(), [FieldName::new("touches")]);
    assert!(outside.holds(&View { touches: None, ..view(&record) }));
    assert!(!predicate("score > 1").reads_touches());
    assert!(compile_as("touches >= 6", Object::Opportunity, true, true).is_ok());
    let problems = compile_as("touches >= 6", Object::Opportunity, true, false).unwrap_err();
    assert!(problems[0].help.as_deref().unwrap().contains("leads"), "{problems:?}");
}

// ── Null, types, moments ─────────────────────────────────────────────────────────────────────

#[test]
fn an_unset_field_fails_every_comparison_but_the_two_that_speak_of_null() {
    for (source, expected) in [
        (r#"email == "x""#, false),
        (r#"email != "x""#, true),
        ("email == null", true),
        ("email != null", false),
        ("null == email", true),
        (r#"email > "a""#, false),
        ("score < 5", false),
        ("score >= -5", false),
        ("5 > score", false),
        ("score == 0", false),
        ("score != 0", true),
        ("customer", false),
        ("!customer", true),
        ("customer == false", false),
        ("customer != true", true),
        (r#"email in ["x"]"#, false),
        (r#"!(email in ["x"])"#, true),
        (r#"email.contains("")"#, false),
        (r#"!email.startsWith("x")"#, true),
        ("score == seats", false),
        ("score != seats", false),
        ("score < seats", false),
        (r#"trial_ends < "2100-01-01""#, false),
        (r#"last_touch != "2100-01-01""#, true),
    ] {
        assert_eq!(holds(source, &Fields::default()), expected, "{source}");
    }
    let half = fields([("score", Value::Number(3.0))]);
    assert!(holds("score != seats", &half) && !holds("score == seats", &half) && !holds("seats < score", &half));
}

#[test]
fn set_fields_compare_as_their_type_does() {
    let record = fields([
        ("email", text("ann@acme.example")),
        ("score", Value::Number(60.0)),
        ("seats", Value::Number(-0.0)),
        ("customer", Value::Bool(false)),
        ("trial_ends", Value::Date(date(2027, 1, 4))),
        ("last_touch", Value::Time(Timestamp::parse("2027-01-04T09:00:00Z").unwrap())),
    ]);
    for (source, expected) in [
        ("score == 60", true),
        ("score == 60u", true),
        ("score == 60.0", true),
        ("60 <= score", true),
        ("61 < score", false),
        ("score in [1, 60.0]", true),
        ("score > -1", true),
        ("seats == 0", true),
        ("seats < score", true),
        ("!customer", true),
        ("customer == false", true),
        ("true", true),
        ("false || score == 60", true),
        (r#"email.startsWith("ann@")"#, true),
        (r#"email.contains("ACME")"#, false),
        (r#"email.endsWith('.example')"#, true),
        (r#"email < "b""#, true),
        (r#"email in ["x", "ann@acme.example"]"#, true),
        (r#"trial_ends == "2027-01-04""#, true),
        (r#"trial_ends < "2027-01-05""#, true),
        (r#"trial_ends <= timestamp("2027-01-04T00:00:00Z")"#, true),
        (r#"last_touch > "2027-01-04""#, true),
        (r#"last_touch == "2027-01-04T10:00:00+01:00""#, true),
        (r#"last_touch < timestamp("2027-01-04T09:00:01Z")"#, true),
        (r#"score >= 60 && (email == null || customer) || seats > 5"#, false),
        ("score >= 60\n  // a comment, with \"quotes\n  && !customer", true),
    ] {
        assert_eq!(holds(source, &record), expected, "{source}");
    }
}

// ── Warnings ─────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_warning_comes_where_unset_makes_a_negation_true() {
    for (source, marked) in [
        (r#"email != "x""#, vec![r#"email != "x""#]),
        (r#"score > 5 && !email.endsWith("x")"#, vec![r#"!email.endsWith("x")"#]),
        ("!customer", vec!["!customer"]),
        (r#"!(email == "x" && score > 1)"#, vec![r#"!(email == "x" && score > 1)"#; 2]),
        (r#"!(email != null && email == "x")"#, vec![r#"!(email != null && email == "x")"#]),
        (r#"email != null || email != "x""#, vec![r#"email != "x""#]),
        (r#"(email != null && score > 1) || email != "x""#, vec![r#"email != "x""#]),
        (r#"score != seats"#, vec!["score != seats"; 2]),
        (r#"email != null && email != "x""#, vec![]),
        (r#"email != null && (score > 1 || email != "x")"#, vec![]),
        (r#"email == null || email != "x""#, vec![]),
        (r#"!(email == null || email == "x")"#, vec![]),
        ("!(email == null)", vec![]),
        (r#"stage != "won" && touches != 3 && !reached("tal")"#, vec![]),
        (r#"email == "x" && score >= 1"#, vec![]),
    ] {
        let warnings = compile(source).unwrap().1;
        let spans: Vec<&str> = warnings.iter().map(|w| &source[w.span.clone()]).collect();
        assert_eq!(spans, marked, "{source}: {warnings:#?}");
        assert!(warnings.iter().all(|w| w.is_warning && w.help.is_some()));
    }
    let outside = compile_as("touches != 3", Object::Lead, true, false).unwrap().1;
    assert_eq!(outside.len(), 1, "outside a clock `touches` is a field that may be unset");
}

// ── Refusals ─────────────────────────────────────────────────────────────────────────────────

/// The condition is refused with exactly these marked texts, whose message and help contain these words.
#[track_caller]
fn refused(source: &str, expected: &[(&str, &str)]) {
    check_refused(source, compile(source), expected);
}

#[track_caller]
fn check_refused(source: &str, outcome: Result<(Predicate, Vec<Problem>), Vec<Problem>>, expected: &[(&str, &str)]) {
    let problems = outcome.map(|_| ()).expect_err(source);
    let marked: Vec<&str> = problems.iter().map(|p| &source[p.span.clone()]).collect();
    assert_eq!(marked, expected.iter().map(|(mark, _)| *mark).collect::<Vec<_>>(), "{source}: {problems:#?}");
    for (problem, (_, words)) in problems.iter().zip(expected) {
        let said = format!("{} / {}", problem.message, problem.help.as_deref().unwrap_or(""));
        assert!(said.contains(words), "{source}: {said:?} lacks {words:?}");
        assert!(!problem.is_warning);
    }
}

#[test]
fn a_type_error_marks_what_does_not_fit() {
    for (source, marked, words) in [
        (r#"score == "high""#, r#""high""#, "`score` is a number, and this is text"),
        (r#"score >= "60""#, r#""60""#, "write 60 without quotes"),
        ("name > 5", "5", "write it in quotes: \"5\""),
        ("name == -5", "-5", "`name` is text"),
        ("customer == 1", "1", "true or false"),
        ("customer > true", "true", "no order"),
        ("score > null", "null", "null has no order"),
        (r#"score.endsWith("x")"#, "endsWith", "`score` is a number"),
        ("email.endsWith(5)", "email.endsWith(5)", "one text in quotes"),
        ("email.endsWith()", "email.endsWith()", "one text in quotes"),
        (r#""a".contains("b")"#, r#""a""#, "text field before it"),
        ("score && customer", "score", "a number, not a condition"),
        ("customer || email", "email", "`email` is text, not a condition"),
        ("!score", "score", "a number, not a condition"),
        ("5", "5", "no condition"),
        (r#"customer && "x""#, r#""x""#, "no condition"),
        ("email == score", "email == score", "compare fields of one type"),
        ("1 == 1", "1 == 1", "two fixed values"),
        (r#"score in [1, "2", 3]"#, r#""2""#, "write 2 without quotes"),
        ("email in [null]", "null", "x == null"),
        ("email in []", "[]", "empty list"),
        ("email in name", "name", "in [\"a\", \"b\"]"),
        ("email in [name]", "name", "fixed values"),
        (r#""x" in ["x"]"#, r#""x""#, "a field must stand before"),
        (r#"trial_ends == "soon""#, r#""soon""#, "2027-01-04"),
        (r#"trial_ends == "2027-02-30""#, r#""2027-02-30""#, "2027-01-04"),
        (r#"trial_ends == "2027-01-04T09:00:00Z""#, r#""2027-01-04T09:00:00Z""#, "write a day"),
        (r#"last_touch > "1799000000000""#, r#""1799000000000""#, "2027-01-04T09:00:00Z"),
        (r#"last_touch > timestamp("x")"#, r#"timestamp("x")"#, "is not one"),
        ("last_touch > timestamp(5)", "timestamp(5)", "one text in quotes"),
        (r#"email == timestamp("2027-01-04")"#, r#"timestamp("2027-01-04")"#, "`email` is text"),
        (r#"timestamp("2027-01-04")"#, r#"timestamp("2027-01-04")"#, "alone"),
        ("(score > 1) == true", "score > 1", "as if it were a value"),
        (r#"email.contains("x") == true"#, r#"email.contains("x")"#, "as if it were a value"),
    ] {
        refused(source, &[(marked, words)]);
    }
}

#[test]
fn an_unknown_name_is_met_with_the_one_that_was_meant() {
    for (source, marked, words) in [
        ("scor >= 60", "scor", "a lead has no field `scor` / did you mean `score`?"),
        (r#"stauts == "Open""#, "stauts", "`status`"),
        (r#"staeg == "won""#, "staeg", "`stage`"),
        ("toches > 1", "toches", "`touches`"),
        (r#"stage == "nuture""#, r#""nuture""#, "did you mean \"nurture\"?"),
        (r#"stage in ["won", "los"]"#, r#""los""#, "\"lost\""),
        (r#"reached("tla")"#, r#""tla""#, "\"tal\""),
        (r#"reached("nonsense")"#, r#""nonsense""#, "the stages are inquiry, mql"),
        (r#"email.endWith("x")"#, "endWith", "`endsWith`"),
        (r#"email.frobnicate("x")"#, "frobnicate", "text knows"),
        (r#"email.matches("x.*")"#, "matches", "patterns"),
        ("email.size() > 3", "size", "x != null"),
        (r#"reachd("tal")"#, "reachd", "`reached`"),
        (r#"endsWith(email, "x")"#, "endsWith", "behind the field"),
        ("amount > 5", "amount", "a field of opportunities"),
        ("status == Open", "Open", "quotes: \"Open\""),
        ("stage == mql", "mql", "quotes: \"mql\""),
    ] {
        refused(source, &[(marked, words)]);
    }
}

#[test]
fn stages_are_refused_where_they_make_no_sense() {
    for (source, marked, words) in [
        (r#"reached("nurture")"#, r#""nurture""#, r#"`stage == "nurture"`"#),
        (r#"stage > "mql""#, r#"stage > "mql""#, r#"reached("mql")"#),
        ("stage == null", "stage == null", "names of stages"),
        ("stage == status", "stage == status", "names of stages"),
        ("stage", "stage", "alone"),
        (r#"stage.contains("m")"#, "stage", "text field"),
        ("reached(tal)", "reached(tal)", "in quotes"),
        ("reached()", "reached()", "in quotes"),
    ] {
        refused(source, &[(marked, words)]);
    }
    for (source, marked) in [(r#"stage == "won""#, "stage"), (r#"reached("won")"#, r#""won""#)] {
        let outcome = compile_as(source, Object::Lead, false, false);
        check_refused(source, outcome, &[(marked, "before the stage is known")]);
    }
}

#[test]
fn what_cel_has_and_conditions_lack_is_refused_with_a_way_out() {
    for (source, marked, words) in [
        ("score + 1 > 5", "score + 1", "do not calculate"),
        ("-score > 5", "-score", "do not calculate"),
        ("customer ? true : false", "customer ? true : false", "a && b"),
        ("has(email.x)", "(email.x)", "x != null"),
        ("email.x == 5", "email.x", "plain names"),
        ("email[0] == 5", "email[0]", "not used"),
        ("{1: 2} == score", "{1: 2}", "not used"),
        ("[1] == score", "[1]", "behind `in`"),
        (r#"["a"].exists(x, x == "a")"#, "(x, x == \"a\")", "not used"),
    ] {
        refused(source, &[(marked, words)]);
    }
    refused("has(email)", &[("email", "x != null")]);
}

#[test]
fn syntax_errors_are_said_in_plain_words_at_their_place() {
    for (source, marked, words) in [
        ("score = 60", "=", "`==`"),
        ("score >= 60 & customer", "&", "`&&`"),
        ("score >= 60 and customer", "and", "`&&`"),
        ("score >= 60 or customer", "or", "`||`"),
        ("score is null", "is", "`==`"),
        ("not customer", "customer", "not expected"),
        ("score >=", "", "ends too early"),
        ("(score >= 60", "", "ends too early"),
        ("score >= 60)", ")", "not expected"),
        ("score <> 60", ">", "`!=`"),
        ("status == “Open”", "“", "straight quotes"),
        ("name == \"é\" && = 5", "=", "`==`"),
        ("customer &&\n  score = 5", "=", "`==`"),
        (r#"status == "Open"#, "\"Open", "no closing quote"),
        (r#"status == "a\qb""#, "\\q", "backslash"),
        (r#"status == r"a""#, "\"", "prefix"),
        (r#"status == """a""""#, "\"\"\"", "triple"),
        ("while == 5", "while", "reserved"),
        ("", "", "empty"),
        ("  ", "  ", "empty"),
    ] {
        let problems = compile(source).map(|_| ()).expect_err(source);
        let first = &problems[0];
        let said = format!("{} / {}", first.message, first.help.as_deref().unwrap_or(""));
        assert_eq!((&source[first.span.clone()], said.contains(words)), (marked, true), "{source}: {problems:?}");
    }
}

#[test]
fn all_problems_are_told_at_once_in_their_order() {
    refused(
        r#"scor >= 60 && (name > 5 || reached("tla")) && !email.endWith("x") && stage == "nuture""#,
        &[
            ("scor", "`score`"),
            ("5", "is text"),
            ("\"tla\"", "\"tal\""),
            ("endWith", "`endsWith`"),
            ("\"nuture\"", "\"nurture\""),
        ],
    );
    refused("scor == sorce", &[("scor", "`score`"), ("sorce", "`source`")]);
}

#[test]
fn no_condition_can_exhaust_the_stack() {
    let long = format!("score in [{}]", vec!["1"; 3000].join(","));
    for (source, words) in [
        (format!("{}customer{}", "(".repeat(500), ")".repeat(500)), "nested deeper"),
        (format!("{}1{}", "[".repeat(1500), "]".repeat(1500)), "nested deeper"),
        ("!(".repeat(1000), "nested deeper"),
        (format!("score{}", " == 1".repeat(700)), "too many operators"),
        (format!("score{}", " in x".repeat(700)), "too many operators"),
        (format!("email{}", ".x".repeat(1500)), "too many operators"),
        (format!("email{}", ".x(1)".repeat(700)), "too many operators"),
        (format!("email{}", "[0]".repeat(1000)), "too many operators"),
        (long, "at most 4096 bytes"),
    ] {
        let problems = compile(&source).map(|_| ()).unwrap_err();
        assert!(problems[0].message.contains(words), "{problems:?}");
    }
    let many = vec!["score >= 1"; 250].join(" && ");
    assert!(holds(&many, &fields([("score", Value::Number(1.0))])));
    let deep = format!("{}customer{}", "!(".repeat(32), ")".repeat(32));
    assert!(holds(&deep, &fields([("customer", Value::Bool(true))])));
    for chained in ["a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-(", "a.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.y("] {
        let worst = format!("{}a{}", chained.repeat(32), ")".repeat(32));
        assert!(compile(&worst).is_err());
    }
}

// ── Sentences and explanations ───────────────────────────────────────────────────────────────

#[test]
fn a_condition_reads_as_a_sentence() {
    for (source, expected) in [
        (
            r#"score >= 60 && email != null && !email.endsWith("@gmail.com")"#,
            r#"score is at least 60, email is set, and email does not end with "@gmail.com""#,
        ),
        (r#"reached("tal")"#, "it has reached tal"),
        (r#"!reached("tal")"#, "it has not reached tal"),
        ("touches >= 1", "at least 1 touch"),
        (r#"touches >= 6 || reached("sql")"#, "at least 6 touches or it has reached sql"),
        (r#"reached("sql") || stage == "nurture""#, "it has reached sql or the stage is nurture"),
        (r#"stage != "won""#, "the stage is not won"),
        (r#"stage in ["lost", "rejected"]"#, "the stage is one of lost or rejected"),
        (r#"!(stage in ["lost", "won"])"#, "the stage is none of lost or won"),
        ("on_hold == true", "on hold is yes"),
        ("!on_hold", "on hold is not yes"),
        ("budget != null && need == null", "budget is set and need is not set"),
        (
            r#"score < 5 || score > 9 && (customer || source in ["Web", "Fair", "Mail"])"#,
            r#"score is less than 5 or (score is more than 9 and (customer is yes or source is one of "Web", "Fair" or "Mail"))"#,
        ),
        ("!(score >= 5 || customer)", "score is not at least 5 and customer is not yes"),
        ("!(score >= 5 && email != null)", "score is not at least 5 or email is not set"),
        (r#"trial_ends >= "2027-01-04""#, "trial ends is on or after 2027-01-04"),
        (r#"last_touch < "2027-01-04""#, "last touch is before 2027-01-04T00:00:00.000Z"),
        ("score <= seats", "score is at most seats"),
        (r#"status == "Open""#, r#"status is "Open""#),
        (r#"!(status != "Open")"#, r#"status is "Open""#),
    ] {
        assert_eq!(predicate(source).sentence(), expected, "{source}");
    }
}

#[test]
fn an_explanation_lists_the_terms_as_written_with_what_was_seen() {
    let record = fields([
        ("score", Value::Number(55.0)),
        ("email", text("a@gmail.com")),
        ("customer", Value::Bool(false)),
        ("trial_ends", Value::Date(date(2027, 1, 4))),
    ]);
    let look = View { fields: &record, stage: stage("nurture"), furthest: stage("tql"), touches: Some(3.0) };
    let source = "score >= 60\n  && email != null && !email.endsWith( \"@gmail.com\" )
        && (budget == null || customer) && reached(\"sal\") && stage   ==\t\"nurture\" && touches >= 2
        && 60 > (score) && score <= seats && trial_ends > \"2027-01-01\" && !(region == \"x\" && (customer) == true)";
    let terms = predicate(source).explain(&look);
    let seen: Vec<(&str, &str, bool)> = terms.iter().map(|t| (t.text.as_str(), t.seen.as_str(), t.held)).collect();
    assert_eq!(
        seen,
        [
            ("score >= 60", "55", false),
            ("email != null", "\"a@gmail.com\"", true),
            ("!email.endsWith( \"@gmail.com\" )", "\"a@gmail.com\"", false),
            ("budget == null", "nothing", true),
            ("customer", "false", false),
            ("reached(\"sal\")", "tql", false),
            ("stage == \"nurture\"", "nurture", true),
            ("touches >= 2", "3", true),
            ("60 > (score)", "55", true),
            ("score <= seats", "55 and nothing", false),
            ("trial_ends > \"2027-01-01\"", "2027-01-04", true),
            ("region == \"x\"", "nothing", false),
            ("(customer) == true", "false", false),
        ]
    );
    let nowhere = View { stage: None, furthest: None, ..look };
    assert_eq!(predicate(r#"reached("sal")"#).explain(&nowhere)[0].seen, "no stage");
}

// ── Random conditions against a naive judge ──────────────────────────────────────────────────

#[derive(Debug, Clone)]
enum Random {
    /// Field, operator, number; `flipped` puts the number first.
    Number(&'static str, &'static str, i32, bool),
    Text(&'static str, &'static str, &'static str),
    Both(&'static str, &'static str, &'static str),
    Method(&'static str, &'static str, &'static str),
    Null(&'static str, bool),
    In(&'static str, Vec<&'static str>),
    Bare(&'static str),
    Stage(usize, bool),
    Reached(usize),
    Touches(&'static str, i32),
    Not(Box<Random>),
    And(Vec<Random>),
    Or(Vec<Random>),
}

#[derive(Debug, Clone)]
struct World {
    score: Option<i32>,
    seats: Option<i32>,
    email: Option<&'static str>,
    customer: Option<bool>,
    stage: Option<usize>,
    furthest: Option<usize>,
    touches: i32,
}

const TEXTS: [&str; 5] = ["", "a", "ab", "b", "ba"];
const OPS: [&str; 6] = ["==", "!=", "<", "<=", ">", ">="];

impl Random {
    fn source(&self) -> String {
        let joined = |parts: &[Random], by: &str| {
            let parts: Vec<String> = parts.iter().map(|p| format!("({})", p.source())).collect();
            parts.join(by)
        };
        match self {
            Random::Number(field, op, n, false) => format!("{field} {op} {n}"),
            Random::Number(field, op, n, true) => format!("{n} {op} {field}"),
            Random::Text(field, op, value) => format!("{field} {op} \"{value}\""),
            Random::Both(a, op, b) => format!("{a} {op} {b}"),
            Random::Method(field, method, part) => format!("{field}.{method}('{part}')"),
            Random::Null(field, equal) => format!("{field} {} null", if *equal { "==" } else { "!=" }),
            Random::In(field, list) => format!("{field} in {list:?}"),
            Random::Bare(field) => (*field).to_owned(),
            Random::Stage(i, equal) => format!("stage {} \"{}\"", if *equal { "==" } else { "!=" }, STAGES[*i].0),
            Random::Reached(i) => format!("reached(\"{}\")", STAGES[*i].0),
            Random::Touches(op, n) => format!("touches {op} {n}"),
            Random::Not(inner) => format!("!({})", inner.source()),
            Random::And(parts) => joined(parts, " && "),
            Random::Or(parts) => joined(parts, " || "),
        }
    }

    fn judge(&self, w: &World) -> bool {
        let number = |field: &str| if field == "score" { w.score } else { w.seats };
        match self {
            Random::Number(field, op, n, false) => compared(number(field), op, Some(*n)),
            Random::Number(field, op, n, true) => compared(Some(*n), op, number(field)),
            Random::Text(_, op, value) => compared(w.email, op, Some(value)),
            Random::Both(a, op, b) => compared(number(a), op, number(b)),
            Random::Method(_, "startsWith", part) => w.email.is_some_and(|t| t.starts_with(part)),
            Random::Method(_, "endsWith", part) => w.email.is_some_and(|t| t.ends_with(part)),
            Random::Method(_, _, part) => w.email.is_some_and(|t| t.contains(part)),
            Random::Null("score", equal) => w.score.is_none() == *equal,
            Random::Null(_, equal) => w.email.is_none() == *equal,
            Random::In(_, list) => w.email.is_some_and(|t| list.contains(&t)),
            Random::Bare(_) => w.customer == Some(true),
            Random::Stage(i, equal) => (w.stage == Some(*i)) == *equal,
            Random::Reached(i) => w.furthest.is_some_and(|f| f >= *i),
            Random::Touches(op, n) => compared(Some(w.touches), op, Some(*n)),
            Random::Not(inner) => !inner.judge(w),
            Random::And(parts) => parts.iter().all(|p| p.judge(w)),
            Random::Or(parts) => parts.iter().any(|p| p.judge(w)),
        }
    }
}

fn compared<T: PartialOrd>(a: Option<T>, op: &str, b: Option<T>) -> bool {
    match (a, b) {
        (None, None) => false,
        (None, _) | (_, None) => op == "!=",
        (Some(a), Some(b)) => match op {
            "==" => a == b,
            "!=" => a != b,
            "<" => a < b,
            "<=" => a <= b,
            ">" => a > b,
            _ => a >= b,
        },
    }
}

fn a_condition() -> impl Strategy<Value = Random> {
    use prop::sample::select;
    let number = || select(vec!["score", "seats"]);
    let op = || select(OPS.to_vec());
    let text = || select(TEXTS.to_vec());
    let leaf = prop_oneof![
        (number(), op(), -2..3, any::<bool>()).prop_map(|(f, o, n, flip)| Random::Number(f, o, n, flip)),
        (op(), text()).prop_map(|(o, t)| Random::Text("email", o, t)),
        (number(), op(), number()).prop_map(|(a, o, b)| Random::Both(a, o, b)),
        (select(vec!["startsWith", "endsWith", "contains"]), text()).prop_map(|(m, t)| Random::Method("email", m, t)),
        (select(vec!["score", "email"]), any::<bool>()).prop_map(|(f, e)| Random::Null(f, e)),
        prop::collection::vec(text(), 1..4).prop_map(|l| Random::In("email", l)),
        Just(Random::Bare("customer")),
        (0..STAGES.len(), any::<bool>()).prop_map(|(i, e)| Random::Stage(i, e)),
        (0..7usize).prop_map(Random::Reached),
        (op(), 0..4).prop_map(|(o, n)| Random::Touches(o, n)),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|i| Random::Not(Box::new(i))),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Random::And),
            prop::collection::vec(inner, 2..4).prop_map(Random::Or),
        ]
    })
}

fn a_world() -> impl Strategy<Value = World> {
    use prop::option::of;
    let place = || of(0..STAGES.len());
    let email = of(prop::sample::select(TEXTS.to_vec()));
    (of(-2..3), of(-2..3), email, of(any::<bool>()), place(), place(), 0..4).prop_map(
        |(score, seats, email, customer, stage, furthest, touches)| World {
            score,
            seats,
            email,
            customer,
            stage,
            furthest,
            touches,
        },
    )
}

impl World {
    fn fields(&self) -> Fields {
        let number = |n: Option<i32>| n.map_or(Value::Null, |n| Value::Number(n.into()));
        fields([
            ("score", number(self.score)),
            ("seats", number(self.seats)),
            ("email", self.email.map_or(Value::Null, text)),
            ("customer", self.customer.map_or(Value::Null, Value::Bool)),
        ])
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_random_condition_answers_as_a_naive_judge_does(
        condition in a_condition(),
        worlds in prop::collection::vec(a_world(), 8),
    ) {
        let compiled = predicate(&condition.source());
        prop_assert!(!compiled.sentence().is_empty());
        for world in worlds {
            let fields = world.fields();
            let look = View {
                fields: &fields,
                stage: world.stage,
                furthest: world.furthest,
                touches: Some(world.touches.into()),
            };
            prop_assert_eq!(compiled.holds(&look), condition.judge(&world), "{} in {:?}", condition.source(), world);
            let terms = compiled.explain(&look);
            if let Random::And(parts) = &condition && parts.iter().all(|p| !matches!(p, Random::And(_) | Random::Or(_) | Random::Not(_))) {
                prop_assert_eq!(terms.iter().all(|t| t.held), compiled.holds(&look));
            }
        }
    }

    #[test]
    fn no_text_makes_the_compiler_panic(
        words in prop::collection::vec(
            prop::sample::select(vec![
                "score", "email", "é", "(", ")", "[", "]", "{", "}", "!", "-", "&&", "||", "==", "=", "<", "in", "null",
                "\"x\"", "'", "\"", "\\", "1", "1.5", ".", ",", "?", ":", "has(", ".endsWith(", "reached(", "r", " ",
                "\n", "//", "true", "timestamp(", ".map(", "5u", "0x1", "stage", "`",
            ]),
            0..25,
        ),
        apart in any::<bool>(),
    ) {
        let source = words.join(if apart { " " } else { "" });
        let problems = compile(&source).map_or_else(|problems| problems, |(_, warnings)| warnings);
        for problem in problems {
            prop_assert!(source.get(problem.span.clone()).is_some(), "{:?} in {:?}", problem, source);
        }
    }
}
