// The LoRaWAN side of a meter, as the API tells it.

export interface HeardBy {
  gateway: string;
  snr_db: number;
}

export interface LorawanSession {
  joined_s: number | null;
  /** The next counters. */
  f_cnt_up: number;
  f_cnt_down: number;
  data_rate: string;
  eirp_dbm: number;
  repeats: number;
  /** 0 external supply, 1 to 254 from empty to full, 255 not known. */
  battery: number | null;
  margin_db: number | null;
}

export interface Readmission {
  at_s: number;
  by: string;
  dev_nonce: number;
  refused_nonce: number | null;
}

export interface Lorawan {
  dev_eui: string;
  join_eui: string;
  dev_addr: string;
  version: string;
  device_class: 'A' | 'C';
  session: LorawanSession | null;
  heard_by: HeardBy[];
  rssi_dbm: number | null;
  needs_readmission: { since_s: number; refused_nonce: number; dev_nonce: number } | null;
  readmissions: Readmission[];
}
