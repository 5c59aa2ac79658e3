/*
 * encrypted: whether what is written under a path is encrypted on its disk: by
 * dm-crypt (LUKS) below the file system, through LVM, RAID and loop devices; by
 * the file system (fscrypt, eCryptfs, ZFS, FUSE ones such as gocryptfs).
 * A disk that encrypts itself cannot be told from one that does not.
 */
#ifndef ENCRYPTED_H
#define ENCRYPTED_H

#include <stddef.h>

#define ENCRYPTED_WHY_SIZE 200

/* What encrypted_path() says of a network's file system: its server alone can tell. */
#define ENCRYPTED_ELSEWHERE 2

/* 1: encrypted; 0: not, or not to be known; ENCRYPTED_ELSEWHERE; -1: the path cannot be followed,
 * errno says why. why: what it lies on, in a few words. root: "", or a directory that stands for /
 * of /proc and /sys in tests. */
int encrypted_path(const char *root, const char *path, char why[ENCRYPTED_WHY_SIZE]);

/* The same for a block device, named by its directory in sysfs. */
int encrypted_device(const char *root, const char *sys, char why[ENCRYPTED_WHY_SIZE]);

#endif
