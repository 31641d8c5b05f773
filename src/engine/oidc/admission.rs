//! Who comes in as whom: from a person whom the provider vouches for to an account. A person is known
//! by issuer and subject alone; an e-mail address finds an account once, if the provider verified it.

use super::provider::Person;
use super::{OidcSettings, Others};
use crate::engine::switches::{Setting, Told, tell};
use crate::record::Timestamp;
use crate::store::account::{self, Account};
use crate::store::oidc::{self, Identity};
use crate::store::role::{Permission, Role};
use crate::store::{Db, Priority, StoreError, Tx, session};
use url::Url;

/// Longest name that is taken over.
const MOST_CHARS: usize = 120;
/// Who stands in the journal for what follows from the provider's word.
const BY: &str = "single sign-on";

/// Why somebody whom the provider vouches for does not come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    Disabled,
    /// No account, and no role that would make one.
    Unknown,
    /// The same, and the provider does not vouch for the e-mail address by which to look.
    Unverified,
    /// The account of this e-mail address is bound to somebody else at the provider.
    AnotherPerson,
    /// The provider gave them a role and does so no more.
    RoleGone,
    /// Somebody was admitted under the same name at the same moment.
    Again,
}

/// An account that a person may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    pub account: Account,
    /// The provider said its role the last time.
    pub mapped: bool,
}

/// The journals that are told, and the moment for them.
#[derive(Clone, Copy, Debug)]
pub struct Journals<'a> {
    pub chains: &'a [Told],
    pub at: Timestamp,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// They come in with an account; `binds`: for the first time.
    Enter {
        account: Account,
        role: Role,
        mapped: bool,
        binds: bool,
    },
    Create {
        role: Role,
        mapped: bool,
    },
    /// They lose what the provider had given.
    Strip(Account),
    Refuse(Refusal),
}

/// Decides. `bound` is the account of this very person, `by_email` the one that their verified address
/// finds, if it is nobody else's.
pub fn decide(
    settings: &OidcSettings,
    person: &Person,
    bound: Option<Known>,
    by_email: Option<Result<Account, Refusal>>,
) -> Admission {
    let given = settings.role_of(&person.values);
    let least = (settings.others == Others::Viewer).then_some(Role::Viewer);
    match (bound, by_email) {
        (Some(Known { account, .. }), _) | (None, Some(Ok(account))) if account.disabled => {
            Admission::Refuse(Refusal::Disabled)
        }
        (Some(Known { account, mapped }), _) => {
            let was_given = mapped && !settings.roles.is_empty();
            match given.or(least.filter(|_| was_given)) {
                Some(role) => Admission::Enter { account, role, mapped: true, binds: false },
                None if was_given => Admission::Strip(account),
                None => Admission::Enter { role: account.role, account, mapped: false, binds: false },
            }
        }
        (None, Some(Err(refusal))) => Admission::Refuse(refusal),
        (None, Some(Ok(account))) => {
            let role = given.unwrap_or(account.role);
            Admission::Enter { account, role, mapped: given.is_some(), binds: true }
        }
        (None, None) => match given.or(least) {
            Some(role) => Admission::Create { role, mapped: given.is_some() },
            None if person.email.is_some() && !person.email_verified => Admission::Refuse(Refusal::Unverified),
            None => Admission::Refuse(Refusal::Unknown),
        },
    }
}

/// Lets a person in, or says why not. What changes is journalled; `now` is real.
///
/// # Errors
/// When the database is unavailable.
pub async fn admit(
    db: &Db,
    settings: &OidcSettings,
    person: &Person,
    journals: Journals<'_>,
    now: Timestamp,
) -> Result<Result<Account, Refusal>, StoreError> {
    let bound = bound(db, settings, person).await?;
    let by_email = if bound.is_none() { by_email(db, settings, person).await? } else { None };
    let house = House { settings, person, journals, now };
    match decide(settings, person, bound, by_email) {
        Admission::Refuse(refusal) => Ok(Err(refusal)),
        Admission::Strip(account) => house.strip(db, &account).await.map(|()| Err(Refusal::RoleGone)),
        Admission::Enter { account, role, mapped, binds } => {
            let mut tx = db.begin(Priority::Work).await?;
            if binds && !house.bind(&mut tx, &account, mapped).await? {
                return Ok(Err(Refusal::Again));
            }
            oidc::set_mapped(&mut tx, &settings.issuer, &person.subject, mapped).await?;
            let account = house.give(&mut tx, account, role).await?;
            tx.commit().await?;
            Ok(Ok(account))
        }
        Admission::Create { role, mapped } => {
            let account = house.new_account(db, role).await?;
            let mut tx = db.begin(Priority::Work).await?;
            if !account::add(&mut tx, &account).await? || !house.bind(&mut tx, &account, mapped).await? {
                return Ok(Err(Refusal::Again));
            }
            house.note(&mut tx, &format!("{} may sign in, as {role}", account.name)).await?;
            tx.commit().await?;
            tracing::info!(account = %account.id, %role, "single sign-on made an account");
            Ok(Ok(account))
        }
    }
}

async fn bound(db: &Db, settings: &OidcSettings, person: &Person) -> Result<Option<Known>, StoreError> {
    let Some(identity) = oidc::of_person(db, &settings.issuer, &person.subject).await? else { return Ok(None) };
    let account = account::by_id(db, &identity.account).await?;
    Ok(account.map(|account| Known { account, mapped: identity.mapped }))
}

async fn by_email(
    db: &Db,
    settings: &OidcSettings,
    person: &Person,
) -> Result<Option<Result<Account, Refusal>>, StoreError> {
    let Some(email) = verified(person) else { return Ok(None) };
    let Some(account) = account::find(db, email).await? else { return Ok(None) };
    let others = oidc::of_account(db, &account.id).await?;
    let is_anothers = others.iter().any(|identity| identity.issuer == settings.issuer);
    Ok(Some(if is_anothers { Err(Refusal::AnotherPerson) } else { Ok(account) }))
}

fn verified(person: &Person) -> Option<&str> {
    person.email.as_deref().filter(|email| person.email_verified && email.contains('@'))
}

/// What an admission is carried out with.
struct House<'a> {
    settings: &'a OidcSettings,
    person: &'a Person,
    journals: Journals<'a>,
    now: Timestamp,
}

impl House<'_> {
    async fn bind(&self, tx: &mut Tx, account: &Account, mapped: bool) -> Result<bool, StoreError> {
        let identity = Identity {
            issuer: self.settings.issuer.clone(),
            subject: self.person.subject.clone(),
            account: account.id.clone(),
            mapped,
            bound_at: self.now,
        };
        let bound = oidc::bind(tx, &identity).await?;
        if bound {
            self.note(tx, &format!("{} signs in with {} from now on", account.name, self.settings.name)).await?;
        }
        Ok(bound)
    }

    /// Whom somebody signs for is said here, not by the provider; it holds while the role may sign.
    async fn give(&self, tx: &mut Tx, mut account: Account, role: Role) -> Result<Account, StoreError> {
        if account.role != role {
            account.signs_for = account.signs_for.filter(|_| role.may(Permission::Sign));
            account.role = role;
            account::set_role(tx, &account.id, role, account.signs_for.as_ref()).await?;
            self.note(tx, &format!("{} is {role}", account.name)).await?;
        }
        Ok(account)
    }

    async fn strip(&self, db: &Db, account: &Account) -> Result<(), StoreError> {
        let mut tx = db.begin(Priority::Work).await?;
        session::end_all(&mut tx, &account.id).await?;
        self.give(&mut tx, account.clone(), Role::Viewer).await?;
        tx.commit().await
    }

    async fn new_account(&self, db: &Db, role: Role) -> Result<Account, StoreError> {
        let login = account::login(&match verified(self.person) {
            Some(email) => email.to_owned(),
            // No e-mail address looks so: nobody's is taken by it.
            None => format!("oidc:{}:{}", host(&self.settings.issuer), self.person.subject),
        });
        let shown: String = self.person.name.iter().flat_map(|name| name.chars()).filter(|c| !c.is_control()).collect();
        let shown: String = shown.trim().chars().take(MOST_CHARS).collect();
        let is_taken = account::all(db).await?.iter().any(|other| other.name == shown);
        let name = match (shown.is_empty(), is_taken) {
            (true, _) => login.clone(),
            // Names stand in the journal: two people do not have one.
            (false, true) => format!("{shown} ({login})"),
            (false, false) => shown,
        };
        Ok(Account {
            id: uuid::Uuid::now_v7().to_string(),
            login,
            name,
            role,
            signs_for: None,
            password: None,
            disabled: false,
            created_at: self.now,
            created_by: BY.to_owned(),
        })
    }

    async fn note(&self, tx: &mut Tx, to: &str) -> Result<(), StoreError> {
        for chain in self.journals.chains {
            tell(tx, chain, &Setting { name: "account", to, by: BY, why: "" }, self.journals.at).await?;
        }
        Ok(())
    }
}

fn host(issuer: &str) -> String {
    Url::parse(issuer).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
}
