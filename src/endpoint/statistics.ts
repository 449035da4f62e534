// What a client did, in numbers, for reports and budgets.

export interface EndpointStatistics {
  /** Sent, with those that failed. */
  requests: number;
  /** Answered from the disk. */
  cached: number;
  /** Answered by an equal request that was under way. */
  shared: number;
  /** Sent again after a failure that might pass. */
  retries: number;
  promptTokens: number;
  completionTokens: number;
  /** Replies whose tokens the server did not count; they are estimated at 4 characters each. */
  estimated: number;
  /** Replies of flawed JSON that could be mended. */
  repairs: number;
  /** Questions put again because the reply was not what the schema asks for. */
  reasks: number;
  /** Questions that ended without a reply of the asked form, now or in an earlier run. */
  unfit: number;
  /** Lines of the cache that could not be read; they were asked again. */
  damaged: number;
}

export function emptyStatistics(): EndpointStatistics {
  return {
    ...{ requests: 0, cached: 0, shared: 0, retries: 0, promptTokens: 0, completionTokens: 0 },
    ...{ estimated: 0, repairs: 0, reasks: 0, unfit: 0, damaged: 0 },
  };
}
