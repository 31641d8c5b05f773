//! From which address somebody asks, for throttling sign-ins and for the list of sessions.

use super::Web;
use actix_web::HttpRequest;
use actix_web::http::header;
use std::net::{IpAddr, Ipv6Addr};

/// The peer's address; behind the declared proxy, the one that it added last. Of IPv6 the network,
/// since a person has all the addresses in it.
pub fn of(web: &Web, request: &HttpRequest) -> String {
    let forwarded = || {
        let all = request.headers().get_all(header::X_FORWARDED_FOR).last()?.to_str().ok()?;
        all.rsplit(',').next()?.trim().parse::<IpAddr>().ok()
    };
    let peer = request.peer_addr().map(|peer| peer.ip());
    let address = web.admin_url.as_ref().and_then(|_| forwarded()).or(peer);
    address.map_or_else(|| "unknown".to_owned(), network)
}

fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_has_one_network() {
        let of = |text: &str| network(text.parse().expect("an address"));
        assert_eq!(of("203.0.113.9"), "203.0.113.9");
        assert_eq!(of("::ffff:203.0.113.9"), "203.0.113.9");
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
    }
}
