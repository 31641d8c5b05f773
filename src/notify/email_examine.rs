//! What the mail server says before anybody depends on it: whether it greets, encrypts, lets us in and
//! takes our sender (RFC 5321, RFC 3207, RFC 4954). The mail is broken off there: no recipient is named,
//! so nothing can be sent. What a refusal of a real mail means is in `email.rs`.

use super::email::refused;
use super::{Look, NotifyError};
use lettre::Address;
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Mail, Rset};
use lettre::transport::smtp::extension::{ClientId, MailParameter};
use lettre::transport::smtp::{SMTP_PORT, SUBMISSION_PORT, SUBMISSIONS_PORT};
use percent_encoding::percent_decode_str;
use std::time::Duration;
use url::Url;

const AT: &str = "mail server";
/// The server wants somebody to sign in first.
const SIGN_IN_FIRST: u16 = 530;

/// An `smtp_url` taken apart, as `lettre` reads it.
struct Server {
    host: String,
    port: u16,
    tls: Tls,
    hello: ClientId,
    credentials: Option<Credentials>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tls {
    Never,
    IfOffered,
    Required,
    /// From the first byte on.
    Wrapped,
}

/// How far it came.
enum Failed {
    Reaching(SmtpError),
    SigningIn(SmtpError),
    Sender(SmtpError),
}

/// Goes as far as the sender, each step within `patience`. `url` was taken before, when the channel was made.
pub(super) async fn look(url: &str, from: &Address, patience: Duration) -> Look {
    let Some(server) = Server::read(url) else {
        return Look::broken(AT, "its address cannot be read", "correct [notify.email] smtp_url");
    };
    match server.takes(from, patience).await {
        Ok(()) => Look::works(AT, format!("it greets, lets us in and takes mail from {from}")),
        Err(failed) => failed.look(from, server.credentials.is_some()),
    }
}

impl Server {
    fn read(url: &str) -> Option<Self> {
        let url = Url::parse(url).ok()?;
        let mode = url.query_pairs().find(|(key, _)| key == "tls").map(|(_, mode)| mode.into_owned());
        let (tls, port) = match (url.scheme(), mode.as_deref()) {
            ("smtps", _) => (Tls::Wrapped, SUBMISSIONS_PORT),
            ("smtp", Some("required")) => (Tls::Required, SUBMISSION_PORT),
            ("smtp", Some("opportunistic")) => (Tls::IfOffered, SUBMISSION_PORT),
            ("smtp", None) => (Tls::Never, SMTP_PORT),
            _ => return None,
        };
        let plain = |text: &str| percent_decode_str(text).decode_utf8().ok().map(String::from);
        let credentials = match url.password() {
            Some(password) => Some(Credentials::new(plain(url.username())?, plain(password)?)),
            None => None,
        };
        let name = url.path().trim_matches('/');
        let hello = if name.is_empty() { ClientId::default() } else { ClientId::Domain(name.to_owned()) };
        Some(Self { host: url.host_str()?.to_owned(), port: url.port().unwrap_or(port), tls, hello, credentials })
    }

    async fn takes(&self, from: &Address, patience: Duration) -> Result<(), Failed> {
        let mut connection = self.reach(patience).await.map_err(Failed::Reaching)?;
        let taken = self.begin(&mut connection, from).await;
        if taken.is_ok() {
            // What is asked from here on changes nothing for us.
            let _ = connection.command(Rset).await;
        }
        connection.abort().await;
        taken
    }

    async fn reach(&self, patience: Duration) -> Result<AsyncSmtpConnection, SmtpError> {
        let tls = || TlsParameters::new(self.host.clone());
        let wrapped = if self.tls == Tls::Wrapped { Some(tls()?) } else { None };
        let at = (self.host.as_str(), self.port);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(at, Some(patience), &self.hello, wrapped, None).await?;
        if self.tls == Tls::Required || (self.tls == Tls::IfOffered && connection.can_starttls()) {
            connection.starttls(tls()?, &self.hello).await?;
        }
        Ok(connection)
    }

    /// The beginning of a mail.
    async fn begin(&self, connection: &mut AsyncSmtpConnection, from: &Address) -> Result<(), Failed> {
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await.map_err(Failed::SigningIn)?;
        }
        let from_text: &str = from.as_ref();
        let parameters = if from_text.is_ascii() { Vec::new() } else { vec![MailParameter::SmtpUtfEight] };
        connection.command(Mail::new(Some(from.clone()), parameters)).await.map_err(Failed::Sender)?;
        Ok(())
    }
}

impl Failed {
    fn look(&self, from: &Address, signed_in: bool) -> Look {
        match self {
            Self::Reaching(error) if error.is_client() => Look::broken(
                AT,
                "the mail server offers no encryption there (STARTTLS)",
                "correct [notify.email] smtp_url: the port that is meant for mail from programs, often 587, or smtps://",
            ),
            Self::Reaching(error) => Look::broken(
                AT,
                words(error),
                "correct [notify.email] smtp_url: host and port, smtps:// where TLS is spoken from the start, and \
                 ?tls=required where it is asked for later",
            ),
            Self::SigningIn(error) => {
                Look::broken(AT, words(error), "correct user and password in [notify.email] smtp_url")
            }
            Self::Sender(error) => sender(error, from, signed_in),
        }
    }
}

fn sender(error: &SmtpError, from: &Address, signed_in: bool) -> Look {
    let Some(code) = error.status().map(u16::from) else {
        return Look::broken(AT, words(error), "see the mail server's log, and run doctor again");
    };
    let found = format!("the mail server answered {code} to mail from {from}");
    if code == SIGN_IN_FIRST && !signed_in {
        return Look::broken(AT, found, "it wants a sign-in: put user and password into [notify.email] smtp_url");
    }
    match error.is_transient() {
        true => Look::doubtful(AT, found, "it may take it later: run doctor again, and see the mail server's log"),
        false => Look::broken(
            AT,
            found,
            "let the account that leadpact signs in with send as that address, or set [notify.email] from to one that \
             it may send as",
        ),
    }
}

/// What went wrong, without what it would mean for a mail.
fn words(error: &SmtpError) -> String {
    match refused(error) {
        NotifyError::Later { message, .. } | NotifyError::Never { message } | NotifyError::Nobody { message } => {
            message
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_port_encryption_and_who_signs_in() {
        for (url, port, tls) in [
            ("smtp://mail.acme.example", 25, Tls::Never),
            ("smtp://mail.acme.example?tls=required", 587, Tls::Required),
            ("smtp://mail.acme.example:2525?tls=opportunistic", 2525, Tls::IfOffered),
            ("smtps://mail.acme.example", 465, Tls::Wrapped),
        ] {
            let server = Server::read(url).expect(url);
            assert_eq!((server.port, server.tls), (port, tls), "{url}");
            assert!(server.credentials.is_none(), "{url}");
        }
        let server = Server::read("smtps://sla%40acme.example:p%2B%3A%26@mail.acme.example/leadpact").expect("read");
        let expected = Credentials::new("sla@acme.example".to_owned(), "p+:&".to_owned());
        assert_eq!((server.credentials, server.hello), (Some(expected), ClientId::Domain("leadpact".to_owned())));
        assert!(Server::read("https://mail.acme.example").is_none());
    }
}
