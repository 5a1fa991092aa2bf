//! Webhooks: a request for each alert, with a signature.

use std::time::SystemTime;

use cutshort_model::nanoseconds;
use cutshort_sandbox::Needs;
use ring::hmac;

use super::Server;
use crate::config;
use crate::message::Message;
use crate::sender::{Failure, Sender};

pub(crate) struct Webhook {
    server: Server,
    key: Option<hmac::Key>,
}

impl Webhook {
    pub(crate) fn open(config: &config::Webhook) -> Result<Self, String> {
        let secret = config.secret.as_ref().map(config::Secret::read).transpose()?;
        let key = secret.map(|secret| hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()));
        Ok(Self { server: Server::open(&config.endpoint, "")?, key })
    }

    pub(crate) fn needs(&self) -> Needs {
        self.server.needs()
    }
}

impl Sender for Webhook {
    fn send(&mut self, messages: &[Message]) -> Result<(), Failure> {
        for message in messages {
            let seconds = nanoseconds(SystemTime::now()).div_euclid(1_000_000_000);
            let signature = self.key.as_ref().map(|key| signature(key, seconds, &message.json));
            let mut headers =
                vec![("idempotency-key", message.key.as_str()), ("cutshort-change", message.change())];
            headers.extend(signature.as_ref().map(|signature| ("cutshort-signature", signature.as_str())));
            self.server.post(&headers, &message.json)?;
        }
        Ok(())
    }
}

/// `t=SECONDS,v1=HEX`: an HMAC-SHA256 of the time, a dot and the body.
fn signature(key: &hmac::Key, seconds: i64, body: &str) -> String {
    let tag = hmac::sign(key, format!("{seconds}.{body}").as_bytes());
    let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={seconds},v1={hex}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `printf '1767571200.{}' | openssl dgst -sha256 -hmac secret`
    #[test]
    fn a_signature_is_what_openssl_makes() {
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"secret");
        assert_eq!(
            signature(&key, 1_767_571_200, "{}"),
            "t=1767571200,v1=17c65568683cf14f465b8160e857ca75645d6c633b3db3617133c5040f6b0334"
        );
    }
}
