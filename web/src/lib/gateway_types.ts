// What /gateways answers.

export type GatewayState = 'online' | 'offline' | 'unheard';
export type GatewayLink = 'semtech-udp' | 'basics-station';

/** A packet forwarder's own counters, between its last two reports. */
export interface GatewayStatus {
  at_s: number;
  rx: number;
  rx_ok: number;
  rx_forwarded: number;
  acknowledged_percent: number;
  downlinks: number;
  transmitted: number;
  temperature_c: number | null;
}

export interface GatewayRow {
  eui: string;
  last_seen_s: number;
  frames: number;
  state: GatewayState;
  link: GatewayLink | null;
  address: string | null;
  software: string | null;
  not_taken: number;
  sent: number;
  /** By result: TOO_LATE, NO_ANSWER ... */
  not_sent: Record<string, number>;
  warnings: number;
  status: GatewayStatus | null;
  position: { latitude_deg: number; longitude_deg: number; altitude_m: number } | null;
}
