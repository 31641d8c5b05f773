//! What people do with the pages: they sign in and out, and read what others wrote into the CRM.

use crate::browser;
use crate::demo;
use crate::office::{KEY, Office, PASSWORD, status};
use serde_json::json;
use std::time::Duration;

const LATER: &str = "Qualified by teleprospecting";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_sign_in_and_out_by_keyboard_too_and_guessers_wait() {
    if !browser::is_here() {
        return;
    }
    let office = Office::open(true).await;
    let links = ["nia@acme.example", "nat@acme.example"].map(|login| office.invite(login));
    let asked = json!({
        "login": "ada@acme.example", "password": PASSWORD, "changed": "another battery altogether", "links": links,
    });
    browser::run("sign_in.mjs", &office.base, asked, Duration::from_secs(120)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_script_in_a_field_of_the_crm_runs_and_each_is_shown_as_text() {
    if !browser::is_here() {
        return;
    }
    let office = Office::open(true).await;
    let asked = json!({
        "crm": office.sandbox.base_url(), "login": "ada@acme.example", "password": PASSWORD, "key": KEY,
        "amy": office.amy, "mallory": office.mallory, "status": status(LATER), "logical": LATER,
        "patterns": demo::pages(), "documents": demo::DOCUMENTS,
    });
    browser::run("payloads.mjs", &office.base, asked, Duration::from_secs(150)).await;
}

async fn without_a_script(width: &str) {
    if !browser::is_here() {
        return;
    }
    let office = Office::open(true).await;
    let asked = json!({
        "crm": office.sandbox.base_url(), "login": "olu@acme.example", "password": PASSWORD, "amy": office.amy,
        "status": status(LATER), "width": width,
    });
    browser::run("plain.mjs", &office.base, asked, Duration::from_secs(120)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_main_works_without_a_script_at_a_desk() {
    without_a_script("desktop").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_main_works_without_a_script_on_a_phone() {
    without_a_script("phone").await;
}

async fn first_day(width: &str) {
    if !browser::is_here() {
        return;
    }
    let office = Office::open(false).await;
    let asked = json!({
        "crm": office.sandbox.base_url(), "password": PASSWORD, "amy": office.amy, "status": status(LATER),
        "width": width,
    });
    browser::run("journey.mjs", &office.base, asked, Duration::from_secs(150)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agreement_is_signed_and_kept_disputed_and_what_was_refused_tried_again_at_a_desk() {
    first_day("desktop").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agreement_is_signed_and_kept_disputed_and_what_was_refused_tried_again_on_a_phone() {
    first_day("phone").await;
}
