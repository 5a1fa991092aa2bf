//! What doctor looks at.

use cutshort_agent::Token;
use cutshort_clickhouse::{Address, ClickHouse};
use cutshort_doctor::{CollectorSubject, StoreSubject, Subject};

use crate::{Settings, with_password};

impl Settings {
    /// What these settings say of an agent or a server. `serves` tells whether a server should answer.
    #[must_use]
    pub fn subject(&self, serves: bool) -> Subject {
        // Places are looked up by a server, or by an agent that does not keep addresses in full.
        let looks_up = self.store.data.is_some()
            || !self.jobs.geo.is_empty()
            || self.privacy.addresses != Self::default().privacy.addresses;
        Subject {
            source: self.capture.source.clone(),
            spool: self.capture.spool.clone(),
            data: self.store.data.clone(),
            collector: self.delivery.collector.as_deref().map(|url| self.collector_subject(url)),
            deliver: self.delivery.store.as_deref().map(store),
            store: self.store.url.as_deref().map(store),
            server: serves.then_some(self.http.listen),
            geo: looks_up.then(|| self.jobs.geo.clone()),
            exposed: if serves { self.alerts.warnings() } else { Vec::new() },
        }
    }

    fn collector_subject(&self, url: &str) -> CollectorSubject {
        let token = self.token();
        let sent = token.as_ref().map_or_else(|_| Token::Text("none".to_owned()), Clone::clone);
        CollectorSubject {
            http: self.collector(url, sent),
            token: token.map(drop).map_err(|error| error.to_string()),
            token_file: self.delivery.token_file.clone(),
        }
    }
}

fn store(url: &str) -> StoreSubject {
    let name = Address::parse(url).map_or_else(|_| "URL".to_owned(), |address| address.to_string());
    let url = url.to_owned();
    let open = move || {
        let opened =
            Address::parse(&url).and_then(with_password).and_then(|address| ClickHouse::open(&address));
        opened.map(drop).map_err(|error| format!("{error:#}"))
    };
    StoreSubject { url: name, open: Box::new(open) }
}
