//! A pretend identity provider: it publishes its keys, takes codes with their PKCE verifier, and signs what
//! a test has it sign, in whatever way.

use crate::house::listener;
use actix_web::web::{self, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use leadpact::record::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use url::Url;

pub const CLIENT: &str = "leadpact client";
pub const SECRET: &str = "secret: 50 % /+ ü";
const RSA: &str = include_str!("../../fixtures/salesforce/jwt-key.pem");
const EC: &str = include_str!("../../fixtures/salesforce/jwt-key-ec.pem");
/// What the whole world can read.
pub const PUBLIC: &str = include_str!("../../fixtures/salesforce/jwt-key-public.pem");

/// The keys that there are; one is published at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    Rsa,
    Ec,
}

impl Key {
    fn kid(self) -> &'static str {
        if self == Key::Rsa { "the first" } else { "the second" }
    }

    fn algorithm(self) -> Algorithm {
        if self == Key::Rsa { Algorithm::RS256 } else { Algorithm::ES256 }
    }

    fn encoding(self) -> EncodingKey {
        match self {
            Key::Rsa => EncodingKey::from_rsa_pem(RSA.as_bytes()).unwrap(),
            Key::Ec => EncodingKey::from_ec_pem(EC.as_bytes()).unwrap(),
        }
    }

    fn published(self) -> Jwk {
        let mut jwk = Jwk::from_encoding_key(&self.encoding(), self.algorithm()).unwrap();
        jwk.common.key_id = Some(self.kid().to_owned());
        jwk
    }
}

/// How a token is signed.
#[derive(Clone, Debug)]
pub enum Sign {
    With(Key),
    /// By one key, under the name of another.
    As(Key, Key),
    /// With a secret, as HS256.
    Hmac(Vec<u8>),
    /// `alg: none`, and no signature.
    Nothing,
    /// By its key, and then one claim is another.
    Altered,
}

pub struct State {
    pub sign: Sign,
    pub publishes: Key,
    /// Laid over the claims of the next tokens; a null takes one away.
    pub claims: Value,
    /// What is told at the userinfo endpoint; nothing is offered there where it is null.
    pub userinfo: Value,
    /// Where it says that one signs out.
    pub sign_out: Option<String>,
    /// Where it says that codes go, if not to itself.
    pub token_endpoint: Option<String>,
    /// The token endpoint answers so.
    pub refuses: Option<(u16, &'static str)>,
    pub is_down: bool,
    /// How often each path was asked for.
    pub asked: HashMap<String, usize>,
    codes: HashMap<String, Url>,
}

#[derive(Clone)]
pub struct Provider {
    pub state: Arc<Mutex<State>>,
    pub issuer: String,
    now: Timestamp,
}

impl Provider {
    /// Its tokens are made at `now`.
    pub fn start(now: Timestamp) -> Self {
        let state = State {
            sign: Sign::With(Key::Rsa),
            publishes: Key::Rsa,
            claims: json!({}),
            userinfo: Value::Null,
            sign_out: None,
            token_endpoint: None,
            refuses: None,
            is_down: false,
            asked: HashMap::new(),
            codes: HashMap::new(),
        };
        let listener = listener();
        let issuer = format!("http://{}/realm", listener.local_addr().unwrap());
        let provider = Self { state: Arc::new(Mutex::new(state)), issuer, now };
        let data = Data::new(provider.clone());
        let server = HttpServer::new(move || App::new().app_data(data.clone()).default_service(web::to(answer)));
        tokio::spawn(server.workers(1).disable_signals().listen(listener).unwrap().run());
        provider
    }

    pub fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap());
    }

    pub fn asked(&self, path: &str) -> usize {
        self.state.lock().unwrap().asked.get(path).copied().unwrap_or_default()
    }

    /// Somebody signs in on its page: the code that the browser is sent back with.
    pub fn sign_in(&self, page: &Url) -> String {
        let mut state = self.state.lock().unwrap();
        let code = format!("code {}", state.codes.len());
        state.codes.insert(code.clone(), page.clone());
        code
    }

    fn document(&self) -> Value {
        let at = |path: &str| format!("{}{path}", self.issuer);
        let mut document = json!({
            "issuer": self.issuer,
            "authorization_endpoint": at("/authorize"),
            "token_endpoint": at("/token"),
            "jwks_uri": at("/jwks"),
            "response_types_supported": ["code", "id_token"],
            "subject_types_supported": ["public"],
            // As tempting as it can be.
            "id_token_signing_alg_values_supported": ["RS256", "ES256", "HS256", "none"],
        });
        let state = self.state.lock().unwrap();
        if !state.userinfo.is_null() {
            document["userinfo_endpoint"] = at("/userinfo").into();
        }
        if let Some(page) = &state.sign_out {
            document["end_session_endpoint"] = page.as_str().into();
        }
        if let Some(elsewhere) = &state.token_endpoint {
            document["token_endpoint"] = elsewhere.as_str().into();
        }
        document
    }

    fn token(&self, request: &HttpRequest, form: &HashMap<String, String>) -> HttpResponse {
        let mut state = self.state.lock().unwrap();
        if let Some((status, body)) = state.refuses {
            let status = actix_web::http::StatusCode::from_u16(status).unwrap();
            return HttpResponse::build(status).content_type("application/json").body(body);
        }
        // RFC 6749, section 2.3.1: both are encoded as forms are before they are joined.
        let encoded = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let basic = format!("Basic {}", STANDARD.encode(format!("{}:{}", encoded(CLIENT), encoded(SECRET))));
        let page = form.get("code").and_then(|code| state.codes.remove(code));
        let Some(page) = page else { return error("invalid_grant") };
        let of_page = |name: &str| page.query_pairs().find(|(n, _)| n == name).map(|(_, v)| v.into_owned());
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&form["code_verifier"]));
        let is_right = form["grant_type"] == "authorization_code"
            && request.headers().get("authorization").is_some_and(|header| *header == *basic)
            && of_page("code_challenge_method").as_deref() == Some("S256")
            && of_page("code_challenge") == Some(challenge)
            && of_page("redirect_uri").as_ref() == form.get("redirect_uri");
        if !is_right {
            return error("invalid_client");
        }
        let token = signed(&state, self.claims(&state, of_page("nonce").as_deref()));
        HttpResponse::Ok().json(json!({
            "access_token": "the access token", "token_type": "Bearer", "expires_in": 300, "id_token": token,
        }))
    }

    fn claims(&self, state: &State, nonce: Option<&str>) -> Value {
        let now = self.now.as_millis() / 1000;
        let mut claims = json!({
            "iss": self.issuer, "sub": "248289761001", "aud": CLIENT, "exp": now + 300, "iat": now, "nonce": nonce,
            "email": "Dana@acme.example", "email_verified": true, "name": "Dana Reyes",
        });
        for (name, value) in state.claims.as_object().unwrap() {
            match value {
                Value::Null => claims.as_object_mut().unwrap().remove(name),
                value => claims.as_object_mut().unwrap().insert(name.clone(), value.clone()),
            };
        }
        claims
    }
}

fn error(error: &str) -> HttpResponse {
    HttpResponse::BadRequest().json(json!({ "error": error }))
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn signed(state: &State, claims: Value) -> String {
    let with = |key: Key, name: Key| {
        let mut header = Header::new(key.algorithm());
        header.kid = Some(name.kid().to_owned());
        encode(&header, &claims, &key.encoding()).unwrap()
    };
    match &state.sign {
        Sign::With(key) => with(*key, *key),
        Sign::As(key, name) => with(*key, *name),
        Sign::Hmac(secret) => {
            encode(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(secret)).unwrap()
        }
        Sign::Nothing => format!("{}.{}.", part(&json!({ "alg": "none", "typ": "JWT" })), part(&claims)),
        Sign::Altered => {
            let token = with(Key::Rsa, Key::Rsa);
            let mut claims = claims.clone();
            claims["sub"] = "somebody else".into();
            let parts: Vec<&str> = token.split('.').collect();
            format!("{}.{}.{}", parts[0], part(&claims), parts[2])
        }
    }
}

async fn answer(provider: Data<Provider>, request: HttpRequest, body: web::Bytes) -> HttpResponse {
    let path = request.path().trim_start_matches("/realm").to_owned();
    let (is_down, published, userinfo) = {
        let mut state = provider.state.lock().unwrap();
        *state.asked.entry(path.clone()).or_default() += 1;
        (state.is_down, state.publishes.published(), state.userinfo.clone())
    };
    let may_ask = request.headers().get("authorization").is_some_and(|header| header == "Bearer the access token");
    match path.as_str() {
        _ if is_down => HttpResponse::ServiceUnavailable().finish(),
        "/.well-known/openid-configuration" => HttpResponse::Ok().json(provider.document()),
        "/jwks" => HttpResponse::Ok().json(json!({ "keys": [published] })),
        "/token" => provider.token(&request, &url::form_urlencoded::parse(&body).into_owned().collect()),
        "/userinfo" if may_ask => HttpResponse::Ok().json(userinfo),
        _ => HttpResponse::NotFound().finish(),
    }
}
