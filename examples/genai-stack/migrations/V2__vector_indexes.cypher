// 384 dimensions are those of all-MiniLM-L6-v2, the stack's default embedding model. Another model (4096 for llama2, 1536 for
// OpenAI's) is another migration: drop the index, create it with the new number, and let the loader embed everything again.
CREATE VECTOR INDEX stackoverflow IF NOT EXISTS FOR (q:Question) ON q.embedding
OPTIONS {indexConfig: {`vector.dimensions`: 384, `vector.similarity_function`: 'cosine'}};
CREATE VECTOR INDEX top_answers IF NOT EXISTS FOR (a:Answer) ON a.embedding
OPTIONS {indexConfig: {`vector.dimensions`: 384, `vector.similarity_function`: 'cosine'}};
