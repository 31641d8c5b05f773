//! Who gets in and who does not: sessions, roles, forged requests, passwords, links, tokens.

use crate::house::{House, account, at_work};
use leadpact::record::Elapsed;
use leadpact::store::account::{self as accounts, Account, Purpose};
use leadpact::store::api_token::{self, ApiToken};
use leadpact::store::role::{Permission, Role};
use leadpact::store::secret::Secret;
use leadpact::store::{Priority, session};
use leadpact::web::routes::{self, Entry, Needs, Verb};
use leadpact::web::{assets, password};
use reqwest::{Method, Response};

const PASSWORD: &str = "correct horse battery";

fn location(response: &Response) -> &str {
    response.headers()["location"].to_str().unwrap()
}

/// A path that the entry's pattern takes.
fn example(entry: &Entry) -> String {
    entry.path.split('/').map(|part| if part.starts_with('{') { "x" } else { part }).collect::<Vec<_>>().join("/")
}

fn method(entry: &Entry) -> Method {
    Method::from_bytes(entry.verb.method().as_str().as_bytes()).unwrap()
}

async fn with_password(house: &House, role: Role) -> Account {
    let hash = password::hash_here(PASSWORD).unwrap();
    let account = Account { password: Some(hash), ..account(role, "Pat Person") };
    let mut tx = house.db.begin(Priority::Work).await.unwrap();
    accounts::add(&mut tx, &account).await.unwrap();
    tx.commit().await.unwrap();
    account
}

async fn sign_in(house: &House, login: &str, password: &str) -> Response {
    let form = [("login", login), ("password", password), ("next", "/?after=x")];
    house.as_nobody(Method::POST, "/login").form(&form).send().await.unwrap()
}

fn cookie(response: &Response) -> String {
    let cookie = response.headers()["set-cookie"].to_str().unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

async fn status_with(house: &House, cookie: &str, path: &str) -> u16 {
    house.as_nobody(Method::GET, path).header("Cookie", cookie).send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn nothing_but_the_way_in_is_open_to_who_has_not_signed_in() {
    let house = House::start().await;
    let mut walked = 0;
    for entry in routes::all() {
        let (path, is_open) = (example(entry), matches!(entry.needs, Needs::Nothing | Needs::ToBeNear));
        let expected_open = [
            "/login",
            "/login/link/{token}",
            "/login/oidc",
            "/login/oidc/callback",
            "/login/oidc/out",
            "/assets/{file}",
            "/metrics",
        ]
        .contains(&entry.path);
        assert_eq!(is_open, expected_open, "{}", entry.path);
        if is_open {
            continue;
        }
        for credentials in ["", "leadpact=wrong", "leadpact="] {
            let request = house.as_nobody(method(entry), &path).header("Cookie", credentials);
            let response = request.send().await.unwrap();
            let refused = match path.starts_with("/api/") {
                true => response.status() == 401,
                false => response.status() == 303 && location(&response).starts_with("/login"),
            };
            assert!(refused, "{:?} {path}: {}", entry.verb, response.status());
        }
        walked += 1;
    }
    assert!(walked >= 5, "{walked}");
    for path in ["/no/such/page", "/api/v1/no"] {
        assert!([303, 401].contains(&house.as_nobody(Method::GET, path).send().await.unwrap().status().as_u16()));
    }
}

#[tokio::test]
async fn every_route_is_closed_to_roles_that_lack_its_permission() {
    let house = House::start().await;
    for role in Role::ALL {
        let person = house.person(role).await;
        for entry in routes::all() {
            let Needs::Permission(permission) = entry.needs else { continue };
            if role.may(permission) || entry.path == "/logout" {
                continue;
            }
            let response = match entry.verb {
                Verb::Get => house.get_as(&person, &example(entry)).await,
                Verb::Post => house.post_as(&person, &example(entry), &[]).await,
                Verb::Put | Verb::Delete => {
                    let request = house.as_nobody(method(entry), &example(entry)).header("Cookie", person.cookie());
                    request.header("X-CSRF-Token", person.csrf()).send().await.unwrap()
                }
            };
            assert_eq!(response.status(), 403, "{role} {}", entry.path);
        }
    }
}

#[tokio::test]
async fn who_changes_something_must_mean_it() {
    let house = House::start().await;
    let person = house.person(Role::Viewer).await;
    let csrf = person.csrf();
    let post = || house.as_nobody(Method::POST, "/logout").header("Cookie", person.cookie());
    let other = house.person(Role::Operator).await.csrf();
    for (why, request) in [
        ("no token", post()),
        ("an empty form", post().form(&[("csrf", "")])),
        ("the token of another session", post().form(&[("csrf", &other)])),
        ("two tokens", post().form(&[("csrf", &csrf), ("csrf", &csrf)])),
        ("another site", post().form(&[("csrf", &csrf)]).header("Origin", "https://evil.example")),
        ("another site says its browser", post().form(&[("csrf", &csrf)]).header("Sec-Fetch-Site", "cross-site")),
        ("a body that is no form", post().body(format!("csrf={csrf}"))),
        ("a wrong header", post().header("X-CSRF-Token", "x")),
    ] {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 403, "{why}");
        assert!(response.text().await.unwrap().contains("Nothing was changed"), "{why}");
    }
    assert_eq!(house.get_as(&person, "/").await.status(), 200, "still signed in");
    let done =
        post().form(&[("csrf", &csrf)]).header("Origin", format!("http://{}", house.admin)).send().await.unwrap();
    assert_eq!((done.status().as_u16(), location(&done)), (303, "/login"));
    assert_eq!(house.get_as(&person, "/").await.status(), 303, "signed out");
}

#[tokio::test]
async fn a_script_of_ours_carries_the_token_in_its_header() {
    let house = House::start().await;
    let person = house.person(Role::Viewer).await;
    let request = house.as_nobody(Method::POST, "/logout").header("Cookie", person.cookie());
    assert_eq!(request.header("X-CSRF-Token", person.csrf()).send().await.unwrap().status(), 303);
}

#[tokio::test]
async fn the_page_itself_holds_the_token_of_its_forms() {
    let house = House::start().await;
    let page = house.text("/").await;
    let csrf = house.admin_session.csrf();
    assert!(page.contains(&format!("name=\"csrf\" value=\"{csrf}\"")), "{page}");
    assert!(page.contains("Ada Admin") && page.contains("aria-current=\"page\">Overview"), "{page}");
    assert!(!page.contains("style=") && !page.contains(" onclick"), "{page}");
}

#[tokio::test]
async fn a_password_opens_a_session_that_is_new_each_time() {
    let house = House::start().await;
    let account = with_password(&house, Role::Operator).await;
    let first = sign_in(&house, " PAT.person@acme.example ", PASSWORD).await;
    assert_eq!((first.status().as_u16(), location(&first)), (303, "/?after=x"));
    let set = first.headers()["set-cookie"].to_str().unwrap();
    assert!(set.starts_with("leadpact=") && set.contains("HttpOnly") && set.contains("SameSite=Lax"), "{set}");
    assert!(set.contains("Path=/") && !set.contains("Secure") && !set.contains("Domain"), "{set}");
    let planted = cookie(&first);
    assert_eq!(status_with(&house, &planted, "/").await, 200);
    let form = [("login", account.login.as_str()), ("password", PASSWORD)];
    let second = house.as_nobody(Method::POST, "/login").header("Cookie", &planted).form(&form).send().await.unwrap();
    assert_ne!(cookie(&second), planted);
    assert_eq!((status_with(&house, &planted, "/").await, location(&second)), (303, "/"));
}

#[tokio::test]
async fn people_end_their_sessions_and_change_their_password_themselves() {
    let house = House::start().await;
    let account = with_password(&house, Role::Viewer).await;
    let sign_in = async || cookie(&sign_in(&house, &account.login, PASSWORD).await);
    let (here, there, third) = (sign_in().await, sign_in().await, sign_in().await);
    let csrf_of = |cookie: &str| leadpact::web::csrf::token(&Secret::brought(cookie.split_once('=').unwrap().1));
    let post = async |cookie: &str, path: &str, form: &[(&str, &str)]| {
        let csrf = csrf_of(cookie);
        let form = [form, &[("csrf", csrf.as_str())]].concat();
        house.as_nobody(Method::POST, path).header("Cookie", cookie).form(&form).send().await.unwrap()
    };
    let page = house.as_nobody(Method::GET, "/account").header("Cookie", &here).send().await.unwrap();
    let page = page.text().await.unwrap();
    let mark = &Secret::brought(there.split_once('=').unwrap().1).hash()[..12];
    assert!(page.contains("this one") && page.matches("name=\"mark\"").count() == 2, "{page}");
    let someone_else = house.person(Role::Admin).await;
    house.post_as(&someone_else, "/account/sessions", &[("mark", mark)]).await;
    assert_eq!(status_with(&house, &there, "/").await, 200, "it is not theirs to end");
    assert_eq!(post(&here, "/account/sessions", &[("mark", mark)]).await.status(), 303);
    assert_eq!(status_with(&house, &there, "/").await, 303);

    const NEW: &str = "another long password";
    let change = |current, again| [("current", current), ("password", NEW), ("again", again)];
    for wrong in [change("not the right one", NEW), change(PASSWORD, "something else")] {
        assert_eq!(post(&here, "/account/password", &wrong).await.status(), 400);
    }
    let changed = post(&here, "/account/password", &change(PASSWORD, NEW)).await;
    assert_eq!((changed.status().as_u16(), location(&changed)), (303, "/account"));
    for ended in [&here, &third] {
        assert_eq!(status_with(&house, ended, "/").await, 303);
    }
    assert_eq!(status_with(&house, &cookie(&changed), "/account").await, 200);
    for n in 0..6 {
        let form = [("current", "guess"), ("password", NEW), ("again", NEW)];
        assert_eq!(post(&cookie(&changed), "/account/password", &form).await.status(), 400, "{n}");
    }
    let form = [("current", NEW), ("password", NEW), ("again", NEW)];
    assert_eq!(post(&cookie(&changed), "/account/password", &form).await.status(), 429, "guesses count here, too");
}

#[tokio::test]
async fn behind_a_proxy_the_cookie_is_bound_to_https_and_the_host() {
    let house = House::behind("https://pages.acme.example").await;
    let account = with_password(&house, Role::Viewer).await;
    let signed_in = sign_in(&house, &account.login, PASSWORD).await;
    let set = signed_in.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(set.starts_with("__Host-leadpact=") && set.contains("Secure") && set.contains("Path=/"), "{set}");
    assert_eq!(status_with(&house, &cookie(&signed_in), "/").await, 200);
    assert_eq!(house.get("/").await.status(), 200);
    let plain = format!("leadpact={}", house.admin_session.secret.expose());
    assert_eq!(status_with(&house, &plain, "/").await, 303, "the other name is not believed");
    let near = house.as_nobody(Method::GET, "/metrics").send().await.unwrap();
    assert_eq!(near.status(), 401, "whoever comes through a proxy seems near");
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_login_are_answered_alike() {
    let house = House::start().await;
    let account = with_password(&house, Role::Viewer).await;
    let wrong = sign_in(&house, &account.login, "incorrect horse").await;
    let unknown = sign_in(&house, "nobody@acme.example", PASSWORD).await;
    assert_eq!((wrong.status().as_u16(), unknown.status().as_u16()), (401, 401));
    assert!(!wrong.headers().contains_key("set-cookie"));
    let plain = |text: String| text.replace(&account.login, "").replace("nobody@acme.example", "");
    assert_eq!(plain(wrong.text().await.unwrap()), plain(unknown.text().await.unwrap()));
    let mut tx = house.db.begin(Priority::Work).await.unwrap();
    accounts::set_disabled(&mut tx, &account.id, true).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(sign_in(&house, &account.login, PASSWORD).await.status(), 401, "a disabled account is like none");
}

#[tokio::test]
async fn a_login_cannot_become_markup() {
    let house = House::start().await;
    let page = sign_in(&house, "\"><script>alert(1)</script>", "x").await.text().await.unwrap();
    assert!(!page.contains("<script>") && page.contains("&#34;&#62;&#60;script&#62;"), "{page}");
}

#[tokio::test]
async fn a_session_ends_by_idleness_by_age_and_by_order() {
    let house = House::start().await;
    let hours = |n: i64| Elapsed::from_secs(n * 3600);
    let person = house.person(Role::Viewer).await;
    house.clock.set(at_work() + hours(11));
    assert_eq!(house.get_as(&person, "/").await.status(), 200);
    // Its use is noted beside the request.
    let mut tries = 0;
    loop {
        let open = session::of_account(&house.db, &person.account.id, house.clock.now()).await.unwrap();
        if open[0].seen_at == house.clock.now() {
            break;
        }
        tries += 1;
        assert!(tries < 200, "the use of a session is not noted");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    house.clock.set(at_work() + hours(22));
    assert_eq!(house.get_as(&person, "/").await.status(), 200, "it was used in between");
    house.clock.set(at_work() + hours(22 + 13));
    assert_eq!(house.get_as(&person, "/").await.status(), 303, "idle for too long");

    house.clock.set(at_work());
    let person = house.person(Role::Signer).await;
    let mut tx = house.db.begin(Priority::Work).await.unwrap();
    session::seen(&mut tx, &person.secret, at_work() + hours(7 * 24)).await.unwrap();
    tx.commit().await.unwrap();
    house.clock.set(at_work() + hours(7 * 24) - Elapsed::from_secs(1));
    assert_eq!(house.get_as(&person, "/").await.status(), 200);
    house.clock.set(at_work() + hours(7 * 24));
    assert_eq!(house.get_as(&person, "/").await.status(), 303, "seven days are over");

    house.clock.set(at_work());
    let person = house.person(Role::Operator).await;
    for disabled in [true, false] {
        let mut tx = house.db.begin(Priority::Work).await.unwrap();
        accounts::set_disabled(&mut tx, &person.account.id, disabled).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(house.get_as(&person, "/").await.status(), 303, "ended for good");
    }
}

#[tokio::test]
async fn a_link_signs_in_once_after_a_click() {
    let house = House::start().await;
    let person = house.person(Role::Operator).await;
    let secret = Secret::fresh("");
    let mut tx = house.db.begin(Priority::Work).await.unwrap();
    let until = at_work() + Elapsed::from_secs(60);
    accounts::add_link(&mut tx, &secret, &person.account.id, Purpose::SignIn, until).await.unwrap();
    tx.commit().await.unwrap();
    let path = format!("/login/link/{}", secret.expose());
    let look = || house.as_nobody(Method::GET, &path).send();
    let click = || house.as_nobody(Method::POST, &path).form(&[("x", "y")]).send();
    for _ in 0..2 {
        assert!(look().await.unwrap().text().await.unwrap().contains("Sign in as The operator"));
    }
    let foreign = house.as_nobody(Method::POST, &path).header("Origin", "https://evil.example").form(&[("x", "y")]);
    assert_eq!(foreign.send().await.unwrap().status(), 403);
    house.clock.set(until);
    assert_eq!(click().await.unwrap().status(), 404, "too late");
    house.clock.set(at_work());
    let signed_in = click().await.unwrap();
    assert_eq!(status_with(&house, &cookie(&signed_in), "/").await, 200);
    assert_eq!(click().await.unwrap().status(), 404, "used up");
    assert_eq!(look().await.unwrap().status(), 404);
}

#[tokio::test]
async fn a_link_sets_a_password_and_ends_older_sessions() {
    let house = House::start().await;
    let person = house.person(Role::Viewer).await;
    let secret = Secret::fresh("");
    let mut tx = house.db.begin(Priority::Work).await.unwrap();
    let until = at_work() + Elapsed::from_secs(60);
    accounts::add_link(&mut tx, &secret, &person.account.id, Purpose::SetPassword, until).await.unwrap();
    tx.commit().await.unwrap();
    let path = format!("/login/link/{}", secret.expose());
    let send = async |password: &str, again: &str| {
        house.as_nobody(Method::POST, &path).form(&[("password", password), ("again", again)]).send().await.unwrap()
    };
    assert_eq!(send("short", "short").await.status(), 400);
    assert_eq!(send(PASSWORD, "another long one").await.status(), 400);
    assert_eq!(send(PASSWORD, PASSWORD).await.status(), 303);
    assert_eq!(house.get_as(&person, "/").await.status(), 303);
    assert_eq!(sign_in(&house, &person.account.login, PASSWORD).await.status(), 303);
}

#[tokio::test]
async fn a_thousand_guesses_are_throttled_and_the_owner_gets_in_again() {
    use leadpact::web::throttle::Attempt;
    let house = House::start().await;
    let begin = async |login: &str, address: &str, second: i64| {
        Attempt::begin(&house.db, login, address, at_work() + Elapsed::from_secs(second)).await.unwrap()
    };
    let mut tried = 0;
    for second in 0..1000 {
        // From another address each time.
        tried += usize::from(begin("pat@acme.example", &second.to_string(), second).await.is_ok());
    }
    assert!((5..=15).contains(&tried), "{tried} of 1,000 guesses at one account");
    let mut tried = 0;
    for second in 0..1000 {
        tried += usize::from(begin(&format!("{second}@acme.example"), "203.0.113.9", second).await.is_ok());
    }
    assert!((20..=30).contains(&tried), "{tried} of 1,000 guesses from one address");
    let wait = begin("PAT@acme.example", "elsewhere", 1000).await.unwrap_err();
    assert!(wait <= Elapsed::from_secs(900), "{wait}");
    let attempt = begin("pat@acme.example", "elsewhere", 1000 + 900).await.expect("nobody is locked out for good");
    let mut tx = house.db.begin(Priority::Work).await.unwrap();
    attempt.succeeded(&mut tx, at_work() + Elapsed::from_secs(1900)).await.unwrap();
    tx.commit().await.unwrap();
    for _ in 0..5 {
        assert!(begin("pat@acme.example", "elsewhere", 1901).await.is_ok(), "it starts afresh");
    }
}

#[tokio::test]
async fn guesses_at_the_same_moment_count_each() {
    let house = House::start().await;
    let account = with_password(&house, Role::Viewer).await;
    let all = (0..12).map(|n| sign_in(&house, &account.login, if n == 11 { PASSWORD } else { "wrong wrong wrong" }));
    let mut statuses = Vec::new();
    for response in futures(all).await {
        statuses.push(response.status().as_u16());
    }
    assert!(statuses.contains(&429), "{statuses:?}");
    let throttled = sign_in(&house, &account.login, PASSWORD).await;
    assert_eq!(throttled.status(), 429, "the right password waits, too");
    assert!(throttled.headers()["retry-after"].to_str().unwrap().parse::<u32>().unwrap() >= 1);
}

async fn futures<T>(all: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut pending: Vec<_> = all.map(Box::pin).collect();
    let mut done: Vec<Option<T>> = pending.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, done) in pending.iter_mut().zip(&mut done) {
            if done.is_none()
                && let std::task::Poll::Ready(value) = future.as_mut().poll(context)
            {
                *done = Some(value);
            }
        }
        if done.iter().all(Option::is_some) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    done.into_iter().flatten().collect()
}

#[tokio::test]
async fn a_program_uses_the_api_by_token_within_its_scope_and_time() {
    let house = House::start().await;
    let secret = Secret::fresh("leadpact_");
    let expires_at = at_work() + Elapsed::from_secs(60);
    let (name, created_by) = ("metrics".to_owned(), "tests".to_owned());
    let token = ApiToken { name, scope: Role::Viewer, created_at: at_work(), created_by, expires_at };
    let mut tx = house.db.begin(Priority::Work).await.unwrap();
    assert!(api_token::add(&mut tx, &secret, &token).await.unwrap());
    tx.commit().await.unwrap();
    let get = async |authorization: &str| {
        let request = house.as_nobody(Method::GET, "/api/v1/clocks").header("Authorization", authorization);
        request.send().await.unwrap().status().as_u16()
    };
    let right = format!("Bearer {}", secret.expose());
    assert_eq!(get(&right).await, 200);
    for wrong in ["", "Bearer", "Bearer x", "Basic eDp5", &format!("Bearer {}", secret.hash())] {
        assert_eq!(get(wrong).await, 401, "{wrong}");
    }
    let with_cookie = house.as_nobody(Method::GET, "/").header("Cookie", house.admin_session.cookie());
    let both = with_cookie.header("Authorization", "Bearer x").send().await.unwrap();
    assert_eq!(both.status(), 303, "a wrong token is not made good by a cookie");
    house.clock.set(expires_at);
    assert_eq!(get(&right).await, 401, "its time is over");
    assert!(Role::Viewer.may(Permission::Look));
}

#[tokio::test]
async fn metrics_are_open_to_this_machine_and_not_through_a_proxy_or_a_strange_name() {
    let house = House::start().await;
    let get = || house.as_nobody(Method::GET, "/metrics");
    assert_eq!(get().send().await.unwrap().status(), 200);
    assert_eq!(get().header("X-Forwarded-For", "203.0.113.9").send().await.unwrap().status(), 401);
    assert_eq!(get().header("Host", "rebound.evil.example").send().await.unwrap().status(), 401);
    assert_eq!(house.get("/metrics").await.status(), 200);
}

#[tokio::test]
async fn styles_and_scripts_are_kept_by_browsers_for_good() {
    let house = House::start().await;
    for (name, kind) in [("style.css", "text/css"), ("htmx.js", "text/javascript"), ("app.js", "text/javascript")] {
        let response = house.as_nobody(Method::GET, assets::url(name)).send().await.unwrap();
        assert_eq!(response.status(), 200, "{name}");
        assert!(response.headers()["content-type"].to_str().unwrap().starts_with(kind), "{name}");
        assert!(response.headers()["cache-control"].to_str().unwrap().contains("immutable"), "{name}");
        assert_eq!(response.headers()["x-content-type-options"], "nosniff");
    }
    assert_eq!(house.as_nobody(Method::GET, "/assets/style.css").send().await.unwrap().status(), 404);
}
