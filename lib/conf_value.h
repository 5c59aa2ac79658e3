/*
 * conf_value: the shapes of configured texts: addresses, origins, networks.
 */
#ifndef CONF_VALUE_H
#define CONF_VALUE_H

/* What is wrong with the value of a key ("PUBLIC_URL"), in words that do not repeat it, for it may
 * hold a password; NULL when nothing is, or the key takes any text. "" is an unset key's. */
const char *conf_value_wrong(const char *key, const char *value);

#endif
