//! Connections selected by their two ends.

use clap::Args;
use cutshort_report::Selection;
use cutshort_settings::values::{net, port};
use ipnet::IpNet;

/// Which connections are meant, by client and server.
#[derive(Args)]
pub(crate) struct Ends {
    /// Only connections to servers in this network
    #[arg(long, value_name = "CIDR", value_parser = net)]
    pub(crate) server_net: Vec<IpNet>,
    /// Only connections to these ports
    #[arg(long, value_name = "PORT,...", value_delimiter = ',', value_parser = port)]
    pub(crate) server_port: Vec<u16>,
    /// Only connections that hosts in this network open
    #[arg(long, value_name = "CIDR", value_parser = net)]
    pub(crate) client_net: Vec<IpNet>,
    /// Leave out connections from this network, such as those of health checks
    #[arg(long, value_name = "CIDR", value_parser = net)]
    pub(crate) ignore_src: Vec<IpNet>,
}

impl Ends {
    pub(crate) fn selection(&self) -> Selection {
        Selection {
            server_nets: self.server_net.clone(),
            server_ports: self.server_port.clone(),
            client_nets: self.client_net.clone(),
            ignored_sources: self.ignore_src.clone(),
        }
    }
}
