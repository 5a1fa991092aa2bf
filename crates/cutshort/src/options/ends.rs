//! Connections selected by their two ends.

use clap::Args;
use cutshort_packet::quic::ServerPorts;
use cutshort_report::Selection;
use cutshort_settings::values::{ServerPort, net, server_port};
use cutshort_verdict::DataSet;
use ipnet::IpNet;

use crate::error::Error;

/// Which connections are meant, by client and server.
#[derive(Args)]
pub(crate) struct Ends {
    /// Only connections to servers in this network
    #[arg(long, value_name = "CIDR", value_parser = net)]
    pub(crate) server_net: Vec<IpNet>,
    /// Only connections to these ports, or 'any' [with --quic: 443 by default]
    #[arg(long, value_name = "PORT,...", value_delimiter = ',', value_parser = server_port)]
    server_port: Vec<ServerPort>,
    /// Only connections that hosts in this network open
    #[arg(long, value_name = "CIDR", value_parser = net)]
    pub(crate) client_net: Vec<IpNet>,
    /// Leave out connections from this network, such as those of health checks
    #[arg(long, value_name = "CIDR", value_parser = net)]
    pub(crate) ignore_src: Vec<IpNet>,
}

impl Ends {
    /// Which connections of a data set are meant. What QUIC is, its ports say already.
    pub(crate) fn selection(&self, data_set: DataSet) -> Selection {
        Selection {
            server_nets: self.server_net.clone(),
            server_ports: if data_set == DataSet::Quic { Vec::new() } else { self.server_ports() },
            client_nets: self.client_net.clone(),
            ignored_sources: self.ignore_src.clone(),
        }
    }

    /// The ports that are named; none if it is any.
    pub(crate) fn server_ports(&self) -> Vec<u16> {
        let port = |port: &ServerPort| match port {
            ServerPort::Any => None,
            ServerPort::One(port) => Some(*port),
        };
        self.server_port.iter().map(port).collect::<Option<_>>().unwrap_or_default()
    }

    /// The ports at which servers speak QUIC.
    pub(crate) fn quic_ports(&self) -> Result<ServerPorts, Error> {
        match &self.server_ports()[..] {
            [] if self.server_port.is_empty() => Ok(ServerPorts::default()),
            [] => Ok(ServerPorts::ANY),
            ports => ServerPorts::new(ports).ok_or_else(|| {
                Error::Usage(format!(
                    "--server-port takes up to {} ports with --quic, or 'any'",
                    ServerPorts::MOST
                ))
            }),
        }
    }
}
