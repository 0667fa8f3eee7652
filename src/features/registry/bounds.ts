/** Bounds of the candidate search. A bound that was hit is reported with the outcome, never silent. */

/** Records compared per blocking key. A fuller block is cut, and the answer says so. */
export const CANDIDATES_PER_KEY_MAX = 64;

/** Submissions in one transaction. Larger batches cost latency for the ones that wait behind. */
export const BATCH_SUBMISSIONS_MAX = 256;

/**
 * Submissions in a batch that is planned before it has the lock. Of larger ones two nearly always have something in common, and what
 * was planned would be planned again.
 */
export const PLANNED_MAX = 64;

/** Submissions waiting in this process before new ones are refused with 503: memory stays bounded. */
export const WAITING_SUBMISSIONS_MAX = 5_000;

/** Rows opened for one page or one count before a search is refused as too broad. */
export const SEARCH_ROWS_MAX = 20_000;

/** Rows opened to count exactly when nobody insisted on an accurate total: what one question to the database answers. */
export const QUICK_COUNT_ROWS_MAX = 1_000;

/** Terms one record is found by. A usual one has 30 to 60; more than this is an attack or a mistake. */
export const SEARCH_TERMS_MAX = 2_000;

/**
 * Prepared match records kept in memory per process, some 4 kB each. At 100,000 people 5,000 serve 36 % of the candidates, 20,000
 * no more than 44 %.
 */
export const RECORD_CACHE_MAX = 5_000;
