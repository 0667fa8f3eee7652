/**
 * Long work in the background that survives the process: each job is a row, its progress is saved as it goes, and when its
 * process dies the next one takes it up where the progress says. One job runs at a time per process.
 */
export { createJobs, type JobHandler, type Jobs, type JobsOptions, type RunningJob } from './jobs.ts';
export type { Job, JobData, JobId, JobState } from './model.ts';
