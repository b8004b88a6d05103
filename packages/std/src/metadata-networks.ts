/**
 * Where clouds tell a machine what it is and what it may do, whoever on it asks: what strangers wrote must not. Azure's
 * own address is its name server too, so whoever refuses these lets names through first.
 */
export const metadataNetworks = {
  v4: [
    "169.254.0.0/16",
    // Alibaba's and Azure's, which are not link-local.
    "100.100.100.200/32",
    "168.63.129.16/32",
  ],
  v6: [
    "fe80::/10",
    // Amazon's and Google's.
    "fd00:ec2::254/128",
    "fd20:ce::254/128",
  ],
} as const;
