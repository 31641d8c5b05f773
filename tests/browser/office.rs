//! A house with two connections that only observe yet, an agreement that nobody has signed, and people with
//! accounts: what admins find on their first day. The CRMs are the sandbox's, which scripts change by its
//! addresses.

use crate::process::{Running, free_port, run};
use leadpact::engine::clock::real_now;
use leadpact::sandbox::vocabulary::{self, HUBSPOT_LEAD_FIELDS, HUBSPOT_OPPORTUNITY_FIELDS, HUBSPOT_STATUSES};
use leadpact::sandbox::{HubSpotOrg, Sandbox, SandboxOptions, World};
use std::path::PathBuf;
use std::sync::Arc;

const AGREEMENT: &str = include_str!("agreement.toml");
const PORTAL: u64 = 45_540_012;
const SECRET: &str = "client-secret-of-the-app";
/// Of everybody who has one.
pub const PASSWORD: &str = "correct horse battery staple";
/// The key of the connection that listens to signed JSON.
pub const KEY: &str = "key-of-the-other-system";

/// `leadpact user add`'s arguments, for those with a password.
const PEOPLE: [(&str, &[&str]); 4] = [
    ("ada@acme.example", &["--name", "Ada Admin", "--role", "admin"]),
    ("olu@acme.example", &["--name", "Olu Operator", "--role", "operator"]),
    ("dana@acme.example", &["--name", "Dana Reyes", "--role", "signer", "--party", "marketing", "--title", "CMO"]),
    (
        "lee@acme.example",
        &["--name", "Lee Okafor", "--role", "signer", "--party", "field_sales", "--title", "VP Sales"],
    ),
];

pub struct Office {
    pub base: String,
    pub sandbox: Sandbox,
    /// Field sales' owner of leads.
    pub amy: String,
    /// Another one, whose name is an attempt.
    pub mallory: String,
    folder: tempfile::TempDir,
    _daemon: Running,
}

impl Office {
    /// With the daemon ready. `signed`: nobody needs to sign, and the connection enforces.
    pub async fn open(signed: bool) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let base = format!("http://127.0.0.1:{}", free_port());
        let sandbox = sandbox(&base).await;
        let world = sandbox.hubspot().clone();
        let amy = world.add_member("Amy Ng", "amy@acme.example", None, false);
        let mallory = world.add_member("<img src=x onerror=\"hit('owner')\">", "mallory@acme.example", None, false);
        let store = format!("\n[store]\nurl = \"sqlite://{}\"\n", folder.path().join("leadpact.db").display());
        let text = configuration(&base, &sandbox.base_url(), &world, signed) + &store;
        std::fs::write(folder.path().join("leadpact.toml"), text).expect("a file");
        std::fs::write(folder.path().join("agreement.toml"), AGREEMENT).expect("a file");
        let config = folder.path().join("leadpact.toml").display().to_string();
        for (login, about) in PEOPLE {
            let whole = [&["user", "add", login, "--password-stdin", "--config", &config], about].concat();
            run(&whole, &format!("{PASSWORD}\n"));
        }
        let mut daemon = Running::start(&["serve", "--config", &config], &folder.path().join("log"));
        let ready =
            async |_: &str| reqwest::get(format!("{base}/readyz")).await.ok().filter(|a| a.status().is_success());
        daemon.until("it is ready", ready).await;
        Self { base, sandbox, amy, mallory, folder, _daemon: daemon }
    }

    /// A link by which a new colleague sets a password.
    pub fn invite(&self, login: &str) -> String {
        let config = self.config().display().to_string();
        let said = run(&["user", "add", login, "--name", "New Colleague", "--link", "--config", &config], "");
        let link = said.split_whitespace().find(|word| word.contains("/login/link/"));
        link.unwrap_or_else(|| panic!("no link: {said}")).to_owned()
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("leadpact.toml")
    }
}

async fn sandbox(base: &str) -> Sandbox {
    let hubspot = HubSpotOrg {
        portal_id: PORTAL,
        token: "pat-na1-pretend".into(),
        client_secret: SECRET.into(),
        webhook_url: format!("{base}/webhooks/hubspot"),
    };
    let listen = "127.0.0.1:0".parse().expect("an address");
    let options = SandboxOptions { clock: Arc::new(real_now), hubspot: Some(hubspot), salesforce: None, listen };
    Sandbox::start(options).await.expect("a sandbox")
}

fn configuration(base: &str, crm: &str, world: &World, signed: bool) -> String {
    let tele = ["Tess Hall", "Theo Brandt"].map(|name| world.add_member(name, "tele@acme.example", None, false));
    let listen = base.trim_start_matches("http://");
    let mode = if signed { "mode = \"enforce\"" } else { "" };
    let (lead, opportunity) = (pairs(HUBSPOT_LEAD_FIELDS), pairs(HUBSPOT_OPPORTUNITY_FIELDS));
    let statuses = pairs(HUBSPOT_STATUSES);
    format!(
        r#"
agreement          = "agreement.toml"
require_signatures = {}

[server]
listen       = "{listen}"
admin_listen = "{listen}"
public_url   = "{base}"
workers      = 1

[[connection]]
name               = "hubspot"
crm                = "hubspot"
{mode}
base_url           = "{crm}"
portal_id          = {PORTAL}
access_token       = "pat-na1-pretend"
webhook_secret     = ["{SECRET}"]
fields.lead        = {{ {lead} }}
fields.opportunity = {{ {opportunity} }}
values.lead.status = {{ {statuses} }}
parties.teleprospecting = {{ members = ["{}", "{}"] }}

[[connection]]
name   = "other"
crm    = "generic"
verify = {{ scheme = "hmac-sha256", header = "X-Signature", encoding = "hex", prefix = "sha256=", secret = ["{KEY}"] }}
"#,
        !signed, tele[0], tele[1]
    )
}

/// Without what this agreement has no word for.
fn pairs(table: &[(&str, &str)]) -> String {
    let known = table.iter().filter(|(ours, _)| *ours != "region");
    let pairs: Vec<String> = known.map(|(ours, theirs)| format!("\"{ours}\" = \"{theirs}\"")).collect();
    pairs.join(", ")
}

/// HubSpot's value of a status that the agreement names.
pub fn status(logical: &'static str) -> &'static str {
    vocabulary::status(leadpact::sandbox::CrmKind::HubSpot, logical)
}
