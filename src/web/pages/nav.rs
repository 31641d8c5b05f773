//! What stands above every page: where one can go, where one is, who one is.

use super::super::routes::{self, Needs, Verb};
use super::super::session::Visitor;

/// All main pages, in their order. One shows as soon as it has a line in its `ROUTES`, to whoever may
/// see it.
const MENU: [(&str, &str); 11] = [
    ("/", "Overview"),
    ("/risk", "Risk"),
    ("/waterfall", "Waterfall"),
    ("/campaigns", "Campaigns"),
    ("/agreement", "Agreement"),
    ("/disputes", "Disputes"),
    ("/simulate", "Simulate"),
    ("/deliveries", "Deliveries"),
    ("/journal", "Journal"),
    ("/health", "Health"),
    ("/templates", "Templates"),
];

/// What `layout.html` needs of every page, as its field `nav`.
pub struct Nav {
    pub links: Vec<Link>,
    /// `None` before somebody has signed in.
    pub person: Option<Person>,
    /// For the hidden field of every form; empty before somebody has signed in.
    pub csrf: String,
}

pub struct Link {
    pub path: &'static str,
    pub label: &'static str,
    pub is_here: bool,
}

pub struct Person {
    pub name: String,
    pub role: &'static str,
}

impl Nav {
    /// `here`: the main page that this one is, or belongs to, by its path.
    pub fn at(here: &str, visitor: &Visitor) -> Self {
        let shown = MENU.into_iter().filter(|(path, _)| is_for(path, visitor));
        Self {
            links: shown.map(|(path, label)| Link { path, label, is_here: path == here }).collect(),
            person: Some(Person { name: visitor.name().to_owned(), role: visitor.role().as_str() }),
            csrf: visitor.csrf(),
        }
    }

    /// For pages before the sign-in.
    pub fn nobody() -> Self {
        Self { links: Vec::new(), person: None, csrf: String::new() }
    }
}

fn is_for(path: &str, visitor: &Visitor) -> bool {
    let may = |needs| matches!(needs, Needs::Permission(permission) if visitor.may(permission));
    routes::all().any(|entry| entry.path == path && entry.verb == Verb::Get && may(entry.needs))
}
