//! Whether the public address leads to the daemon: TLS, its health page, and the place of each
//! connection's webhooks, which refuses a message without a signature. Asked from this machine, and
//! nothing is sent that could be stored.

use super::Check;
use crate::crm::CrmError;
use crate::crm::http::{Answer, Http};
use crate::record::ConnectionName;
use serde_json::Value as Json;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

const ABOUT: &str = "public URL";
/// To find out whether the daemon listens here.
const HERE: Duration = Duration::from_secs(2);

/// `base`: the public address without a slash at its end; `listen`: where the daemon listens.
pub async fn reached(http: &Http, base: &str, listen: SocketAddr, connections: &[&ConnectionName]) -> Vec<Check> {
    let (answer, runs) = tokio::join!(http.send(http.get(&format!("{base}/healthz"))), runs(listen));
    let health = match answer {
        Err(error) => return vec![unreached(base, &error, listen, runs)],
        Ok(answer) => answer,
    };
    if health.status != 200 || health.body.trim_ascii() != b"ok" {
        return vec![replaced(base, &health, listen, runs)];
    }
    let mut checks = vec![Check::ok(ABOUT, base, "it leads to a daemon that is well")];
    for name in connections {
        checks.push(webhooks(http, base, name).await);
    }
    checks
}

/// Whether anybody listens where the daemon would.
async fn runs(listen: SocketAddr) -> bool {
    let ip = if listen.ip().is_unspecified() { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { listen.ip() };
    let here = tokio::net::TcpStream::connect(SocketAddr::new(ip, listen.port()));
    tokio::time::timeout(HERE, here).await.is_ok_and(|connected| connected.is_ok())
}

fn unreached(base: &str, error: &CrmError, listen: SocketAddr, runs: bool) -> Check {
    let cause = super::account::cause(error);
    if let Some((found, fix)) = certificate(cause) {
        return Check::fail(ABOUT, base, format!("{found} ({cause})"), fix);
    }
    if !runs {
        return stopped(base, listen, cause);
    }
    let found = format!("cannot be reached from this machine: {cause}");
    let fix =
        format!("let the proxy or firewall pass it on to {listen}; where only the inside is cut off, try from outside");
    Check::warn(ABOUT, base, found, fix)
}

fn stopped(base: &str, listen: SocketAddr, cause: &str) -> Check {
    let found = format!("no daemon runs at {listen} on this machine ({cause})");
    Check::warn(ABOUT, base, found, "start `leadpact serve`, and run doctor again")
}

/// What is wrong with a certificate, by the words of the TLS library.
fn certificate(cause: &str) -> Option<(&'static str, &'static str)> {
    let says = |word: &str| cause.to_ascii_lowercase().contains(word);
    if !says("certificate") {
        return None;
    }
    Some(match () {
        () if says("notvalidforname") || says("not valid for name") => {
            ("its certificate is another host's", "get a certificate for the host name in public_url")
        }
        () if says("expired") => {
            ("its certificate has expired", "renew the certificate, and see why that is not automatic")
        }
        () if says("notvalidyet") || says("not valid yet") => {
            ("its certificate is not valid yet", "set this machine's clock, or wait")
        }
        () if says("unknownissuer") || says("unknown issuer") => (
            "its certificate is signed by nobody whom CRMs trust",
            "use a public authority (such as Let's Encrypt), and serve the intermediate certificates too",
        ),
        () => ("its certificate is not accepted", "let the proxy serve a valid certificate for the host in public_url"),
    })
}

/// Something answers in place of the daemon.
fn replaced(base: &str, answer: &Answer, listen: SocketAddr, runs: bool) -> Check {
    let status = answer.status;
    match status {
        502..=504 if !runs => stopped(base, listen, &format!("a proxy answers {status}")),
        502..=504 => Check::fail(
            ABOUT,
            base,
            format!("a proxy answers {status}, though a daemon runs at {listen}"),
            format!("let the proxy pass requests on to {listen}, and its time-out be no shorter than 10 seconds"),
        ),
        _ => Check::fail(
            ABOUT,
            base,
            format!("{base}/healthz is answered {status} by something else than leadpact"),
            format!("let the proxy pass all of this address on to {listen}, or correct [server] public_url"),
        ),
    }
}

/// Nobody can sign an empty message, so it is refused: by us, with our words.
async fn webhooks(http: &Http, base: &str, name: &ConnectionName) -> Check {
    let place = format!("{base}/webhooks/{name}");
    let answer = match http.send(http.post(&place).body("{}")).await {
        Ok(answer) => answer,
        Err(error) => {
            let found = format!("a message to it is not answered: {}", super::account::cause(&error));
            return Check::fail(ABOUT, place, found, "let the proxy pass POST requests on to the daemon");
        }
    };
    let ours = serde_json::from_slice::<Json>(&answer.body).ok().is_some_and(|body| body["error"].is_string());
    match answer.status {
        400 | 401 if ours => Check::ok(ABOUT, place, "refuses what is not signed, as it must"),
        404 if ours => Check::fail(
            ABOUT,
            place,
            "the daemon that answers there does not know this connection",
            "restart the daemon with this configuration, or correct [server] public_url: it may be another leadpact",
        ),
        status => Check::fail(
            ABOUT,
            place,
            format!("an unsigned message is answered {status} by something else than leadpact"),
            "let the proxy pass POST requests to /webhooks/ on as they are, without a login or a filter of its own",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::certificate;

    #[test]
    fn each_fault_of_a_certificate_has_its_name() {
        let found = |cause: &str| certificate(cause).map(|(found, _)| found);
        assert_eq!(found("invalid peer certificate: Expired"), Some("its certificate has expired"));
        assert_eq!(
            found(
                "invalid peer certificate: certificate not valid for name \"a.example\"; certificate is only valid for b"
            ),
            Some("its certificate is another host's")
        );
        assert_eq!(
            found("invalid peer certificate: UnknownIssuer"),
            Some("its certificate is signed by nobody whom CRMs trust")
        );
        assert_eq!(found("Connection refused (os error 111)"), None);
    }
}
