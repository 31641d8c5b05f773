//! E-mail over SMTP, plain text and HTML side by side. What a mail says comes ready; headers are
//! typed, so nothing from a CRM can add one.

use super::settings::{EmailSettings, SetupError};
use super::{Destination, Look, Notifier, NotifyError, Rendered, email_examine, text};
use async_trait::async_trait;
use lettre::message::header::{Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::{AsyncSmtpTransportBuilder, Error as SmtpError};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use std::error::Error as _;
use std::fmt;
use std::net::IpAddr;
use std::sync::OnceLock;
use std::time::Duration;

/// To connect.
const CONNECT: Duration = Duration::from_secs(10);

/// For a whole mail; a server that hangs half way is tried again later.
const WHOLE: Duration = Duration::from_secs(30);

type Transport = AsyncSmtpTransport<Tokio1Executor>;

pub struct Email {
    from: Mailbox,
    /// As it was configured.
    url: SecretString,
    builder: AsyncSmtpTransportBuilder,
    /// Made when the first mail is sent, since its pool wants a running executor.
    transport: OnceLock<Transport>,
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Email").field("from", &self.from.email).finish_non_exhaustive()
    }
}

impl Email {
    /// Refuses an address that would send a password in the clear to another host.
    pub fn new(settings: &EmailSettings) -> Result<Self, SetupError> {
        let url = settings.smtp_url.expose_secret();
        if in_the_clear(url) {
            return Err(setup("smtp_url has a password but no TLS: use smtps:// or ?tls=required"));
        }
        let builder = Transport::from_url(url).map_err(|_| {
            setup(
                "smtp_url must be smtp:// or smtps://user:password@host:port, with ?tls=required or ?tls=opportunistic",
            )
        })?;
        let from =
            settings.from.trim().parse().map_err(|_| setup("from must be like `leadpact <sla@acme.example>`"))?;
        let url = settings.smtp_url.clone();
        Ok(Self { from, url, builder: builder.timeout(Some(CONNECT)), transport: OnceLock::new() })
    }

    fn transport(&self) -> &Transport {
        self.transport.get_or_init(|| self.builder.clone().build())
    }

    fn mail(&self, to: Mailbox, message: &Rendered) -> Result<(String, Message), NotifyError> {
        let id = self.message_id(message);
        let mail = Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(text::line(&message.subject))
            .message_id(Some(id.clone()))
            .header(AutoSubmitted)
            .multipart(MultiPart::alternative_plain_html(message.text.clone(), message.html.clone()));
        let mail = mail.map_err(|_| NotifyError::Never { message: "the mail cannot be built".to_owned() })?;
        Ok((id, mail))
    }

    /// The same message has the same id, so that a mail sent twice after a crash shows once where
    /// mailboxes look for that.
    fn message_id(&self, message: &Rendered) -> String {
        let digest = Sha256::digest(message.key.as_bytes());
        format!("<{}@{}>", hex::encode(&digest[..16]), self.from.email.domain())
    }
}

#[async_trait]
impl Notifier for Email {
    fn reaches(&self, to: &Destination) -> bool {
        matches!(to, Destination::Email { .. })
    }

    async fn send(&self, to: &Destination, message: &Rendered) -> Result<String, NotifyError> {
        let Destination::Email { address, name } = to else {
            return Err(NotifyError::Nobody { message: "not an e-mail address".to_owned() });
        };
        let (id, mail) = self.mail(mailbox(address, name.as_deref())?, message)?;
        match tokio::time::timeout(WHOLE, self.transport().send(mail)).await {
            Ok(Ok(_)) => Ok(id),
            Ok(Err(error)) => Err(refused(&error)),
            Err(_) => Err(later("the mail server timed out".to_owned())),
        }
    }

    /// Connects, signs in and names the sender; sends nothing.
    async fn examine(&self, _: &[&str]) -> Vec<Look> {
        let asked = email_examine::look(self.url.expose_secret(), &self.from.email, CONNECT);
        let answer = tokio::time::timeout(WHOLE, asked).await;
        vec![answer.unwrap_or_else(|_| {
            let fix = "check host, port and encryption in [notify.email] smtp_url, and the mail server's log";
            Look::broken("mail server", "the mail server timed out", fix)
        })]
    }
}

/// `Auto-Submitted: auto-generated` (RFC 3834): absence notes are not sent back to us.
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

fn mailbox(address: &str, name: Option<&str>) -> Result<Mailbox, NotifyError> {
    let address: Address =
        address.trim().parse().map_err(|_| NotifyError::Nobody { message: "not an e-mail address".to_owned() })?;
    let name = name.map(|name| text::cut(&text::line(name), 100)).filter(|name| !name.is_empty());
    Ok(Mailbox::new(name, address))
}

/// What the server's answer means; its text stays there, since it names addresses.
pub(super) fn refused(error: &SmtpError) -> NotifyError {
    let Some(code) = error.status() else {
        return without_answer(error);
    };
    let code = u16::from(code);
    let message = format!("the mail server answered {code}");
    match code {
        _ if error.is_transient() => NotifyError::Later { message, after: None },
        // 5.7: a policy or a login, which is about us and not about the addressee.
        550 | 551 | 553 if !says(error, "5.7.") => NotifyError::Nobody { message },
        _ => NotifyError::Never { message },
    }
}

fn without_answer(error: &SmtpError) -> NotifyError {
    if error.is_client() {
        return NotifyError::Never { message: "the mail server offers no way to sign in".to_owned() };
    }
    let what = match () {
        () if error.is_timeout() => "the mail server timed out",
        () if error.is_tls() => "no TLS with the mail server",
        () => "cannot reach the mail server",
    };
    later(what.to_owned())
}

fn says(error: &SmtpError, enhanced: &str) -> bool {
    error.source().is_some_and(|source| source.to_string().trim_start().starts_with(enhanced))
}

/// Whether a password would leave this machine readable.
fn in_the_clear(url: &str) -> bool {
    let Ok(url) = url::Url::parse(url) else { return false };
    let here = match url.host() {
        // Of a scheme that is not the web's, an address is read as a name.
        Some(url::Host::Domain(name)) => {
            name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
        }
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    let tls = url.query_pairs().any(|(key, _)| key == "tls");
    url.scheme() == "smtp" && url.password().is_some() && !tls && !here
}

fn setup(message: &str) -> SetupError {
    SetupError::Email(message.to_owned())
}

fn later(message: String) -> NotifyError {
    NotifyError::Later { message, after: None }
}
