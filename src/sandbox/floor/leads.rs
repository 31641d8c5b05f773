//! Made-up leads, most of them good. People, companies and campaigns are fictional.

use crate::sandbox::event::CrmKind;
use crate::sandbox::record::Values;
use crate::sandbox::vocabulary::property;
use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use serde_json::{Value as Json, json};

const FIRST: [&str; 20] = [
    "Zoë", "Mateo", "Ingrid", "Kwame", "Hana", "Louis", "Anjali", "Oskar", "Leila", "Tomás", "Freya", "Ravi", "Chloé",
    "Yuki", "Nadia", "Elias", "Sofía", "Jonas", "Amara", "Piotr",
];
const LAST: [&str; 20] = [
    "Ünal",
    "García",
    "Lindqvist",
    "Mensah",
    "Sato",
    "Moreau",
    "Iyer",
    "Nowak",
    "Haddad",
    "Silva",
    "Berg",
    "Kapoor",
    "Dubois",
    "Tanaka",
    "Petrova",
    "Weber",
    "Castro",
    "Holm",
    "Okafor",
    "Kowalski",
];
const COMPANIES: [&str; 14] = [
    "Northwind Robotics",
    "Blåbær & Sønner",
    "Harbor Analytics",
    "Tessellate Foods",
    "Quill & Anchor",
    "Meridian Cranes",
    "Lumen Textiles",
    "Cobalt Freight",
    "Juniper Dental",
    "Halcyon Pumps",
    "Ostrava Glass",
    "Paperbark Media",
    "Sundial Logistics",
    "Vermilion Optics",
];
const CAMPAIGNS: [&str; 4] = ["Spring webinar", "Trade fair Boston", "White paper on pumps", "Partner newsletter"];
const REGIONS: [&str; 3] = ["Northeast", "Midwest", "EMEA"];

/// The fields of a new lead by the CRM's names. One in four has something that the agreed
/// definition or the required fields do not allow.
pub fn invent(crm: CrmKind, rng: &mut StdRng) -> Values {
    let (first, last) = (pick(&FIRST, rng), pick(&LAST, rng));
    let company = pick(&COMPANIES, rng);
    let domain: String = company.to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
    let flaw = rng.random_range(0..16);
    let score = if flaw == 0 { rng.random_range(20..60) } else { rng.random_range(60..100) };
    let host = if flaw == 1 { "gmail.com".to_owned() } else { format!("{domain}.example") };
    let user: String = first.to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
    let number: u32 = rng.random_range(10..99);
    let mut values = names(crm, first, last);
    let mut set = |logical, value: Json| values.insert(property_of(crm, logical).to_owned(), value);
    set("email", json!(format!("{user}{number}@{host}")));
    set("score", json!(score));
    set("region", json!(pick(&REGIONS, rng)));
    set("source", json!(if rng.random_bool(0.8) { "Marketing" } else { "Web" }));
    set("status", json!(crate::sandbox::vocabulary::status(crm, "Open")));
    if flaw != 2 {
        set("company", json!(company));
    }
    if flaw != 3 {
        set("campaign", json!(pick(&CAMPAIGNS, rng)));
    }
    values
}

fn property_of(crm: CrmKind, logical: &'static str) -> &'static str {
    property(crm, crate::sandbox::vocabulary::lead_object(crm), logical)
}

fn names(crm: CrmKind, first: &str, last: &str) -> Values {
    let (first_name, last_name) = match crm {
        CrmKind::HubSpot => ("firstname", "lastname"),
        CrmKind::Salesforce => ("FirstName", "LastName"),
    };
    Values::from([(first_name.to_owned(), json!(first)), (last_name.to_owned(), json!(last))])
}

pub fn pick<'a>(list: &[&'a str], rng: &mut StdRng) -> &'a str {
    list.choose(rng).copied().unwrap_or_default()
}
