/** Sizes that are part of the format (docs/FORMAT.md); all in bytes. */
export const FORMAT_VERSION = 1;
export const SEGMENT_HEADER_BYTES = 96;
export const FRAME_HEADER_BYTES = 72;
export const FRAME_BYTES_MAX = 4 * 1024 * 1024;
export const COMMIT_HEADER_BYTES = 16;
export const OPERATION_HEADER_BYTES = 12;
export const COLLECTION_BYTES_MAX = 0xff;
export const ID_BYTES_MAX = 0xffff;
/** What one commit may take in a frame, its own header included. */
export const COMMIT_BYTES_MAX = FRAME_BYTES_MAX - FRAME_HEADER_BYTES;

/** The flight recorder: the smallest bound of its files, and the largest line that is written or believed. */
export const FLIGHT_BYTES_MIN = 1024 * 1024;
export const FLIGHT_LINE_BYTES_MAX = 1024 * 1024;
